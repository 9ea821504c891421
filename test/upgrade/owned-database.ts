import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import { urlOf, withClient } from '../../deploy/local/service-databases.js'
import type { Tree } from '../support/processes.js'

const run = promisify(execFile)

/** An empty database whose owner migrates it, and whose services may only read and write rows: as it is on Kubernetes. */
export type OwnedDatabase = {
  readonly registryUrl: string
  readonly exchangeUrl: string
  /** `countersign migrate` of a release; answers with what it said. */
  migrate(tree: Tree, command: 'plan' | 'up'): Promise<string>
  drop(): Promise<void>
}

export async function ownedDatabase(): Promise<OwnedDatabase> {
  const server = inject('postgresUrl')
  const tag = randomBytes(4).toString('hex')
  const [database, owner, registry, exchange] = [`upgrade_${tag}`, `upgrade_owner_${tag}`, `upgrade_registry_${tag}`, `upgrade_exchange_${tag}`] as const
  const as = (role: string) => urlOf(server, { database, role, password: 'secret' })
  await withClient(server, async (client) => {
    for (const role of [owner, registry, exchange]) await client.query(`create role ${role} login password 'secret'`)
    await client.query(`create database ${database} owner ${owner}`)
  })
  const env = { MIGRATE_DATABASE_URL: as(owner), REGISTRY_DATABASE_ROLE: registry, EXCHANGE_DATABASE_ROLE: exchange }
  return {
    registryUrl: as(registry),
    exchangeUrl: as(exchange),
    async migrate({ directory, node }, command) {
      const { stdout } = await run(node, [join(directory, 'dist/deploy/database/main.js'), command], { cwd: directory, env })
      return stdout
    },
    async drop() {
      await withClient(server, async (client) => {
        await client.query(`drop database if exists ${database} with (force)`)
        for (const role of [owner, registry, exchange]) await client.query(`drop role ${role}`)
      })
    },
  }
}
