import type { Kysely } from 'kysely'
import { escapeIdentifier } from 'pg'
import { createLog } from '#libs/log.js'
import { connectDatabase } from '#libs/postgres/database.js'
import { migrate } from '#libs/postgres/migrate.js'
import { prepareServiceDatabase, type ServiceRole, urlOf, withClient } from '../../deploy/local/service-databases.js'
import { migrations as exchangeMigrations } from '../../services/auth-exchange/store/migrations.js'
import { migrations as registryMigrations } from '../../services/identity-registry/store/migrations.js'

export const TEMPLATE = 'countersign_template'

/** The services' roles. In a throw-away cluster they have the superuser's password: whoever knows it could set any. */
export function serviceRoles(superuserUrl: string): { registry: ServiceRole; exchange: ServiceRole } {
  const password = decodeURIComponent(new URL(superuserUrl).password)
  return { registry: { role: 'registry', password, schema: 'registry' }, exchange: { role: 'exchange', password, schema: 'exchange' } }
}

/** A database as `npm start` prepares it: roles, schemas and tables of both services, and no rows. */
export async function migratedDatabase(superuserUrl: string, database: string): Promise<void> {
  const { registry, exchange } = serviceRoles(superuserUrl)
  await prepareServiceDatabase(superuserUrl, { database, roles: [registry, exchange] })
  for (const { role, password, schema } of [registry, exchange]) {
    const url = urlOf(superuserUrl, { database, role, password })
    const log = createLog({ service: 'test', level: 'silent' })
    const db: Kysely<unknown> = connectDatabase({ url, schema, log, poolSize: 1, prepare: false })
    try {
      await migrate(db, schema, schema === 'registry' ? registryMigrations : exchangeMigrations)
    } finally {
      await db.destroy()
    }
  }
}

/** Made once per run. Nobody can connect to it any more, since a database with a connection can't be cloned. */
export async function makeTemplate(superuserUrl: string): Promise<void> {
  await migratedDatabase(superuserUrl, TEMPLATE)
  const name = escapeIdentifier(TEMPLATE)
  await withClient(superuserUrl, (client) => client.query(`alter database ${name} with is_template true allow_connections false`))
}
