import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { purgeWrappedSecrets } from '../../services/auth-exchange/jobs/purge-wrapped-secrets.js'
import type { Db } from '../../services/auth-exchange/store/schema.js'
import { makeWorkload, type Workload } from '../support/builders.js'
import { HOUR, MINUTE } from '../support/manual-clock.js'
import { exchangeDatabase } from '../support/exchange-database.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { plainSecret } from '../support/untouched.js'

let system: System
let admin: Session
let workload: Workload
let db: Db

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  workload = await makeWorkload(admin, { name: 'wrapped' })
  db = exchangeDatabase(system, 2)
})
afterAll(async () => {
  await db.destroy()
  await system.close()
})

const wrap = (wrapTtlSeconds: number) => admin.exchange(Exchange.createClientSecret, { identityId: workload.identityId, ...plainSecret, wrapTtlSeconds })
const query = (sql: string, ...values: unknown[]) => withClient(system.databases.superuserUrl, (client) => client.query<Record<string, unknown>>(sql, values))
const kept = async () => (await query('select client_secret_id as id from exchange.wrapped_secret order by 1')).rows.map(({ id }) => id)
const purge = () => purgeWrappedSecrets(db, system.clock)()

describe('wrapped secrets', () => {
  it('are kept for a day after their end, and the secrets themselves for ever', async () => {
    const [short, long] = [await wrap(60), await wrap(2 * 60)]
    const ids = [short.clientSecret?.id, long.clientSecret?.id]
    system.clock.advance(24 * HOUR + MINUTE)
    await purge()
    expect(await kept()).toEqual(ids)
    system.clock.advance(1)
    await purge()
    expect(await kept()).toEqual([long.clientSecret?.id])
    admin = await system.session(system.admin)
    expect(await admin.exchange(Exchange.getClientSecret, { identityId: workload.identityId, id: short.clientSecret?.id ?? '' })).toMatchObject({ revokeTime: undefined })
  })

  it('are all deleted that are over, however many, by two at once', async () => {
    const { clientSecret } = await wrap(60)
    const many = `
      with made as (
        insert into exchange.client_secret select (jsonb_populate_record(s, jsonb_build_object('id', fresh.id))).*
        from exchange.client_secret s, (select gen_random_uuid() as id from generate_series(1, 2500)) fresh where s.id = $1
        returning organization_id, id, identity_id
      )
      insert into exchange.wrapped_secret
      select organization_id, id, identity_id, sha256(id::text::bytea), null, now(), to_timestamp(0), null, 0 from made`
    await query(many, clientSecret?.id)
    await Promise.all([purge(), purge()])
    expect(await kept()).toContain(clientSecret?.id)
    expect((await query('select from exchange.wrapped_secret where expire_time = to_timestamp(0)')).rowCount).toBe(0)
  })
})
