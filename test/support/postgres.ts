import { randomBytes } from 'node:crypto'
import { escapeIdentifier } from 'pg'
import { inject } from 'vitest'
import { allowOnly, urlOf, withClient } from '../../deploy/local/service-databases.js'
import { endWithVitest } from './scratch-directory.js'
import { serviceRoles, TEMPLATE } from './template-database.js'

export type DatabaseUrls = { readonly registryUrl: string; readonly exchangeUrl: string; readonly superuserUrl: string }
export type FreshDatabase = DatabaseUrls & { drop(): Promise<void> }

/** The ways into one database: as each service, and as the superuser who may look at everything. */
export function urlsOf(serverUrl: string, database: string): DatabaseUrls {
  const { registry, exchange } = serviceRoles(serverUrl)
  return {
    registryUrl: urlOf(serverUrl, { database, ...registry }),
    exchangeUrl: urlOf(serverUrl, { database, ...exchange }),
    superuserUrl: urlOf(serverUrl, { database }),
  }
}

/** An empty database with the tables of both services, for one test file: a clone of the run's template. */
export async function freshDatabase(): Promise<FreshDatabase> {
  endWithVitest()
  const serverUrl = inject('postgresUrl')
  const database = `test_${randomBytes(8).toString('hex')}`
  const { registry, exchange } = serviceRoles(serverUrl)
  await withClient(serverUrl, async (client) => {
    await client.query(`create database ${escapeIdentifier(database)} template ${escapeIdentifier(TEMPLATE)}`)
    await allowOnly(client, { database, roles: [registry, exchange] })
  })
  return {
    ...urlsOf(serverUrl, database),
    async drop() {
      await withClient(serverUrl, (client) => client.query(`drop database if exists ${escapeIdentifier(database)} with (force)`))
    },
  }
}
