import type { Kysely } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '#libs/clock.js'
import type { Stamp } from '#libs/freshness/stamp.js'
import { createIds } from '#libs/ids.js'
import { createLog } from '#libs/log.js'
import { connectDatabase } from '#libs/postgres/database.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { findTokens } from '../../services/auth-exchange/store/access-tokens.js'
import { findSecretsOfClients } from '../../services/auth-exchange/store/client-secrets.js'
import type { ExchangeSchema } from '../../services/auth-exchange/store/schema.js'
import { findPrincipal } from '../../services/auth-exchange/store/principals.js'
import { findGrants, findIdentityState, findRuleSet } from '../../services/identity-registry/store/resolved.js'
import type { RegistrySchema } from '../../services/identity-registry/store/schema.js'
import { heldTransaction } from '../faults/held-transaction.js'
import { makeWorkload, type Workload } from '../support/builders.js'
import { type FreshDatabase, freshDatabase } from '../support/postgres.js'
import { startSystem } from '../support/system.js'

let databases: FreshDatabase
let registry: Kysely<RegistrySchema>
let exchange: Kysely<ExchangeSchema>
let organizationId: string
let workload: Workload
let roleId: string
let tokenId: string
let principalId: string
const principalName = 'spiffe://acme/reader'
const ids = createIds(systemClock)

beforeAll(async () => {
  databases = await freshDatabase()
  const system = await startSystem({ databases })
  const admin = await system.session(system.admin)
  organizationId = system.admin.organizationId
  workload = await makeWorkload(admin, { name: 'reader' })
  roleId = (await admin.registry(Registry.createRole, { projectId: '', name: 'auditor', description: '', rules: [] })).id
  tokenId = (await system.login(workload)).tokenId
  principalId = (await admin.exchange(Exchange.createPrincipal, { identityId: workload.identityId, name: principalName })).principal?.id ?? ''
  await admin.exchange(Exchange.getUniversalAuth, { identityId: workload.identityId })
  // Nobody else may wait for the locks of this file.
  await system.close()
  const log = createLog({ service: 'test', level: 'silent' })
  registry = connectDatabase({ url: databases.registryUrl, schema: 'registry', log, poolSize: 1, prepare: true })
  exchange = connectDatabase({ url: databases.exchangeUrl, schema: 'exchange', log, poolSize: 1, prepare: true })
})
afterAll(async () => {
  await registry.destroy()
  await exchange.destroy()
  await databases.drop()
})

type Seen = { readonly stamp: Stamp; readonly value: unknown }

/** What is read, as the stamp and the one thing of it that changes. */
const reads: Record<string, () => Promise<Seen>> = {
  findGrants: async () => {
    const { stamp, name } = await findGrants(registry, { organizationId, identityId: workload.identityId, projectId: undefined })
    return { stamp, value: name }
  },
  findIdentityState: async () => {
    const { stamp, name } = await findIdentityState(registry, { organizationId, id: workload.identityId })
    return { stamp, value: name }
  },
  findRuleSet: async () => {
    const { stamp, name } = await findRuleSet(registry, { organizationId, roleId })
    return { stamp, value: name }
  },
  findTokens: async () => {
    const [standing] = await findTokens(exchange, [{ organizationId, id: tokenId, kid: '' }])
    return { stamp: standing?.stamp ?? { epoch: '', seq: -1 }, value: standing?.record.revokeTime?.getTime() }
  },
  findPrincipal: async () => {
    const { stamp, found } = await findPrincipal(exchange, { organizationId, name: principalName })
    return { stamp, value: found?.identityId }
  },
  findSecretsOfClients: async () => {
    const [secret] = await findSecretsOfClients(exchange, [{ clientId: workload.clientId, id: workload.secretId }])
    return { stamp: secret?.stamp ?? { epoch: '', seq: -1 }, value: secret?.epoch }
  },
}

const NAME = "set name = 'n' || floor(extract(epoch from clock_timestamp()) * 1000)"
const changes: Record<string, { readonly table: string; readonly set: string; readonly id: () => string }> = {
  findGrants: { table: 'registry.identity', set: NAME, id: () => workload.identityId },
  findIdentityState: { table: 'registry.identity', set: NAME, id: () => workload.identityId },
  findRuleSet: { table: 'registry.role', set: NAME, id: () => roleId },
  findTokens: { table: 'exchange.access_token', set: 'set revoke_time = clock_timestamp()', id: () => tokenId },
  findPrincipal: { table: 'exchange.principal', set: 'set identity_id = gen_random_uuid()', id: () => principalId },
  findSecretsOfClients: { table: 'exchange.client_secret', set: 'set epoch = gen_random_uuid()', id: () => workload.secretId },
}

// A stamp that is read before the rows makes an answer show more than its revision, and one that is read after them claims
// to know a change that was never seen. So a change that is committed while a read waits, for the feed or for the rows, is
// in both or in neither. Seen to fail, each, with the stamp read by a statement of its own: after the rows, where the read
// waits for the feed; before them, where it waits for the rows.
describe('what copies are made of', () => {
  const cases = Object.keys(reads).flatMap((name) => ['the feed', 'the rows'].map((awaited) => [name, awaited] as const))

  it.each(cases)('%s reads the stamp and the rows from one snapshot, also where it waits for %s', async (name, awaited) => {
    const [read, change] = [reads[name], changes[name]]
    if (!read || !change) throw new Error(`nothing is known of ${name}`)
    const { table, set, id } = change
    const [schema = ''] = table.split('.')
    const before = await read()
    const during = await heldTransaction(databases.superuserUrl, async (held) => {
      await held.run(`lock table ${awaited === 'the feed' ? `${schema}.feed_head` : table} in access exclusive mode`)
      const reading = read()
      await held.awaited()
      await held.run(`update ${table} ${set} where id = $1`, [id()])
      await held.run(`insert into ${schema}.feed_change (id, shard, organization_id, entities) values ($1, 0, $2, '{any/1}')`, [ids.next(), organizationId])
      await held.commit()
      return reading
    })
    const after = await read()
    expect(after.stamp.seq).toBe(before.stamp.seq + 1)
    expect(after.value).not.toEqual(before.value)
    expect([before, after]).toContainEqual(during)
  })
})
