import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { freshNames, makeWorkload, type Workload } from '../support/builders.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { heldTransaction } from './held-transaction.js'

// Nobody is told that something is revoked which is not (fosite CVE-2020-15223): whoever hears UNAVAILABLE asks again. Seen to
// fail with failures of the revoking transaction swallowed.

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

const next = freshNames('workload')

type Token = Workload & { readonly accessToken: string; readonly tokenId: string }

async function newToken(): Promise<Token> {
  const workload = await makeWorkload(admin, { name: next() })
  return { ...workload, ...(await system.login(workload)) }
}

const isGood = ({ accessToken }: Token): Promise<boolean> =>
  system.check(accessToken, 'read', 'secrets').then(() => true, (error: unknown) => {
    expect(error).toMatchObject({ kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' })
    return false
  })

const REVOCATIONS: readonly (readonly [string, (token: Token) => Promise<unknown>])[] = [
  ['RevokeAccessToken by its holder', ({ accessToken: value }) => system.anonymous.exchange(Exchange.revokeAccessToken, { target: { $case: 'accessToken', value } })],
  ['RevokeAccessToken by an operator', ({ tokenId: value }) => admin.exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value } })],
  ['RevokeAccessTokens', ({ identityId: value }) => admin.exchange(Exchange.revokeAccessTokens, { of: { $case: 'identityId', value } })],
  ['RevokeClientSecret', ({ identityId, secretId: id }) => admin.exchange(Exchange.revokeClientSecret, { identityId, id })],
  ['RemoveAuthMethod', ({ identityId }) => admin.exchange(Exchange.removeAuthMethod, { identityId, method: 'universal-auth' })],
]

/** Ends the connections of those who wait for a lock, as a server does that goes away. */
const endWaiting = (): Promise<void> =>
  withClient(system.databases.superuserUrl, async (client) => {
    await client.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
  })

/** How a revocation ends whose connection goes while it waits for what is held. */
const cutOff = (hold: string, revocation: () => Promise<unknown>): Promise<PromiseSettledResult<unknown>[]> =>
  heldTransaction(system.databases.superuserUrl, async (held) => {
    await held.run(hold)
    const asked = Promise.allSettled([revocation()])
    await held.awaited()
    await endWaiting()
    const outcome = await asked
    await held.commit()
    return outcome
  })

describe.each(REVOCATIONS)('%s', (_name, revoke) => {
  it.each([
    ['in the middle', 'lock table exchange.audit_event in access exclusive mode'],
    ['at COMMIT', 'select from exchange.feed_head for update'],
  ])('whose connection is lost %s is UNAVAILABLE, and done when it is asked for again', async (_when, hold) => {
    const token = await newToken()
    expect(await cutOff(hold, () => revoke(token))).toMatchObject([{ status: 'rejected', reason: { kind: 'UNAVAILABLE' } }])
    expect(await isGood(token)).toBe(true)
    await revoke(token)
    expect(await isGood(token)).toBe(false)
  })

  it('that the database refuses is no success', async () => {
    const token = await newToken()
    await withClient(system.databases.superuserUrl, async (client) => {
      await client.query('alter table exchange.audit_event add constraint refusing check (false) not valid')
      await expect(revoke(token)).rejects.toMatchObject({ kind: 'INTERNAL' })
      await client.query('alter table exchange.audit_event drop constraint refusing')
    })
    expect(await isGood(token)).toBe(true)
  })
})
