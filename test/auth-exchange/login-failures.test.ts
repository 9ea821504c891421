import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { contentOf } from '../identity-registry/audit-trail.js'
import { freshNames, makeWorkload, UNKNOWN_ID, type Workload } from '../support/builders.js'
import { answersTo, callerFrom, wrongSecret } from '../support/failing-logins.js'
import { anyId } from '../support/isolation.js'
import { MINUTE } from '../support/manual-clock.js'
import { type Credentials, type Session, startSystem, type System } from '../support/system.js'
import { anotherExchange } from './another-exchange.js'

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

const next = freshNames('workload')
const newWorkload = () => makeWorkload(admin, { name: next() })

/** Logs in at a replica of its own, which then leaves and has written down what failed. */
async function failed(attempts: readonly Credentials[], localAddress = '127.0.0.2'): Promise<void> {
  const replica = await anotherExchange(system)
  const caller = await callerFrom(replica.address, localAddress)
  await answersTo(attempts.length, (place) => caller.login(attempts[place] ?? system.admin), attempts.length > 100 ? 200 : 10)
  await caller.close()
  await replica.close()
}

const eventsOf = async ({ identityId }: Pick<Workload, 'identityId'>) => {
  const query = "select * from exchange.audit_event where action = 'LoginFailed' and target_id = $1 order by details->>'reason'"
  return (await withClient(system.databases.superuserUrl, (client) => client.query<Record<string, unknown>>(query, [identityId]))).rows
}

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)

describe('logins that fail', () => {
  it('are one audit event of the identity for each reason, with how many they were and from where', async () => {
    const workload = await newWorkload()
    const { identityId, clientId } = workload
    await failed([...times(7, () => wrongSecret(workload)), { ...workload, clientSecret: 'csk_' }])
    const shared = { organization_id: system.admin.organizationId, actor_identity_id: null, actor_token_id: null, target_type: 'auth-method', target_id: identityId, request_id: '' }
    const time = system.clock.now().toISOString()
    const details = { method: 'universal-auth', clientId, sources: ['127.0.0.2'], from: time, to: time }
    const [malformed, wrong, ...more] = await eventsOf(workload)
    expect(malformed).toMatchObject({ ...shared, details: { ...details, reason: 'malformed', count: 1 } })
    expect(wrong).toMatchObject({ ...shared, details: { ...details, reason: 'wrong', count: 7 } })
    expect(more).toEqual([])
  })

  it.each<[string, string, (workload: Workload) => Promise<unknown>]>([
    ['revoked', 'revoked', ({ identityId, secretId: id }) => admin.exchange(Exchange.revokeClientSecret, { identityId, id })],
    ['expired', 'expired', async () => system.clock.advance(2 * MINUTE)],
    ['spent', 'spent', (workload) => system.login(workload)],
  ])('say truly that the secret was %s', async (_name, reason, end) => {
    const workload = await makeWorkload(admin, { name: next(), useLimit: 1, ttlSeconds: 60 })
    await end(workload)
    await failed([workload])
    expect(await eventsOf(workload)).toMatchObject([{ details: { reason, count: 1, throttled: 0 } }])
  })

  it('are said to be throttled where they were', async () => {
    const workload = await newWorkload()
    await failed(times(50, () => wrongSecret(workload)))
    expect(await eventsOf(workload)).toMatchObject([{ details: { count: 50, throttled: 47 } }])
  })

  // A row for each would let anybody fill a disk. Seen to fail with client ids that are nobody's written for an organization.
  it('of client ids that are nobody\'s write nothing, and a thousand of them nothing more than one', async () => {
    const workload = await newWorkload()
    const before = await contentOf(system.databases.superuserUrl, 'exchange')
    await failed([{ ...workload, clientId: UNKNOWN_ID }, ...times(1_000, () => ({ ...workload, clientId: anyId() }))])
    expect(await contentOf(system.databases.superuserUrl, 'exchange')).toEqual(before)
    await failed(times(1_000, () => wrongSecret(workload)))
    expect(await eventsOf(workload)).toMatchObject([{ details: { count: 1_000 } }])
  })
})
