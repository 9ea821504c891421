import { afterAll, beforeAll, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { restored } from '../../deploy/database/restored.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { type FreshDatabase, freshDatabase } from '../support/postgres.js'
import { startSystem } from '../support/system.js'

// Principals are credentials: a restore after a break-in ends them with the client secrets. backup.test.ts has the rest.

let databases: FreshDatabase
let principal: { readonly organizationId: string; readonly identityId: string; readonly id: string; readonly name: string }

beforeAll(async () => {
  databases = await freshDatabase()
  const system = await startSystem({ databases })
  const { organizationId, identityId } = system.admin
  const name = 'spiffe://acme/admin'
  const made = await (await system.session(system.admin)).exchange(Exchange.createPrincipal, { identityId, name })
  principal = { organizationId, identityId, id: made.principal?.id ?? '', name }
  await system.close()
})
afterAll(() => databases.drop())

const place = () => ({ url: databases.superuserUrl, tls: false as const })
const query = (text: string) => withClient(databases.superuserUrl, async (client) => (await client.query(text)).rows)
const principals = () => query('select id from exchange.principal')

it('a restore leaves principals as they were in the backup', async () => {
  for (const extent of ['needful', 'tokens'] as const) expect(await restored(place(), extent)).toMatchObject({ deletedPrincipals: [] })
  expect(await principals()).toEqual([{ id: principal.id }])
})

it('one that is to revoke every secret deletes every principal, and says in the audit whose name it was', async () => {
  expect(await restored(place(), 'secrets')).toMatchObject({ deletedPrincipals: [principal] })
  expect(await principals()).toEqual([])
  const { identityId, name } = principal
  const events = await query("select details->'principals' as principals from exchange.audit_event where action = 'Restore' and details->>'extent' = 'secrets'")
  expect(events).toEqual([{ principals: [{ identityId, name }] }])
})

it('a backup of before there were principals is no worse: it is migrated later', async () => {
  await query('drop table exchange.principal')
  expect(await restored(place(), 'secrets')).toMatchObject({ deletedPrincipals: [] })
})
