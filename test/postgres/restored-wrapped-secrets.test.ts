import { afterAll, beforeAll, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { restored } from '../../deploy/database/restored.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { type FreshDatabase, freshDatabase } from '../support/postgres.js'
import { startSystem } from '../support/system.js'
import { plainSecret } from '../support/untouched.js'

// What was unwrapped after the backup could be unwrapped once more after the restore, by whoever kept the token.

let databases: FreshDatabase
let secretId: string

beforeAll(async () => {
  databases = await freshDatabase()
  const system = await startSystem({ databases })
  const { identityId } = system.admin
  const made = await (await system.session(system.admin)).exchange(Exchange.createClientSecret, { identityId, ...plainSecret, wrapTtlSeconds: 3600 })
  secretId = made.clientSecret?.id ?? ''
  await system.close()
})
afterAll(() => databases.drop())

const place = () => ({ url: databases.superuserUrl, tls: false as const })
const query = (text: string) => withClient(databases.superuserUrl, async (client) => (await client.query<Record<string, unknown>>(text)).rows)

// Seen to fail with what is wrapped left as it was in the backup.
it('a restore erases what was wrapped, so that its token gives nothing, and says so in the audit', async () => {
  await restored(place(), 'needful')
  expect(await query("select details->'wrappedSecretIds' as ids from exchange.audit_event where action = 'Restore'")).toEqual([{ ids: [secretId] }])
  expect(await query('select sealed_secret, unwrap_time from exchange.wrapped_secret')).toEqual([{ sealed_secret: null, unwrap_time: null }])
})

it('a backup of before there were wrapped secrets is no worse: it is migrated later', async () => {
  await query('drop table exchange.wrapped_secret')
  await restored(place(), 'needful')
})
