import { afterAll, beforeAll, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { restored } from '../../deploy/database/restored.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { type FreshDatabase, freshDatabase } from '../support/postgres.js'
import { startSystem } from '../support/system.js'
import { makeTokenAuth } from '../support/token-auth.js'

// Tokens of every method end after a restore that is to revoke them. backup.test.ts has the rest.

let databases: FreshDatabase
let organizationId: string

beforeAll(async () => {
  databases = await freshDatabase()
  const system = await startSystem({ databases })
  const { identityId } = system.admin
  organizationId = system.admin.organizationId
  const admin = await system.session(system.admin)
  await makeTokenAuth(admin, { name: 'ci' })
  // From then on the organization has no Universal Auth.
  await admin.exchange(Exchange.removeAuthMethod, { identityId, method: 'universal-auth' })
  await system.close()
})
afterAll(() => databases.drop())

const place = () => ({ url: databases.superuserUrl, tls: false as const })
const query = (text: string) => withClient(databases.superuserUrl, async (client) => (await client.query(text)).rows)
const epochs = () => query('select epoch from exchange.auth_method')

it('a restore leaves methods as they were in the backup', async () => {
  const before = await epochs()
  await restored(place(), 'needful')
  expect(await epochs()).toEqual(before)
})

it('one that is to revoke every token voids those of every method, and is audited in every organization', async () => {
  const [before] = await epochs()
  await restored(place(), 'tokens')
  expect(await epochs()).toEqual([{ epoch: expect.not.stringMatching(before?.epoch) }])
  const events = await query("select organization_id from exchange.audit_event where action = 'Restore' and details->>'extent' = 'tokens'")
  expect(events).toEqual([{ organization_id: organizationId }])
})

it('a backup of before there were such methods is no worse: it is migrated later', async () => {
  await query('drop table exchange.auth_method')
  await restored(place(), 'tokens')
  expect(await query("select to_regclass('exchange.auth_method') as it")).toEqual([{ it: null }])
})
