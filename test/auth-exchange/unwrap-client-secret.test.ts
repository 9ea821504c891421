import { randomBytes } from 'node:crypto'
import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { wrappingDigest, wrappingText } from '../../services/auth-exchange/domain/wrapping.js'
import { auditEvents, underRequestId } from '../identity-registry/audit-trail.js'
import { invalid } from '../identity-registry/expected.js'
import { freshNames, makeWorkload, type Workload } from '../support/builders.js'
import { bytesCanary, foundIn, secretCanary, textCanary } from '../support/canaries.js'
import { MINUTE } from '../support/manual-clock.js'
import { type Outcome, rawCallsTo, type RawCalls, reasonOf } from '../support/raw-calls.js'
import { storedText } from '../support/rows.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { plainSecret } from '../support/untouched.js'

let system: System
let admin: Session
let calls: RawCalls

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  calls = rawCallsTo(system.addresses.exchange)
})
afterAll(async () => {
  calls.close()
  await system.close()
})

const next = freshNames('workload')
type Wrapped = Workload & { readonly wrappingToken: string }

/** One more secret of a workload, wrapped for a minute. */
async function wrapped(): Promise<Wrapped> {
  const workload = await makeWorkload(admin, { name: next() })
  const { clientSecret, wrappingToken } = await admin.exchange(Exchange.createClientSecret, { identityId: workload.identityId, ...plainSecret, wrapTtlSeconds: 60 })
  return { ...workload, secretId: clientSecret?.id ?? '', wrappingToken }
}

const unwrap = (wrappingToken: string) => system.anonymous.exchange(Exchange.unwrapClientSecret, { wrappingToken })
const rejected = { kind: 'UNAUTHENTICATED', reason: 'WRAPPING_TOKEN_REJECTED' }
const query = (sql: string, ...values: unknown[]) => withClient(system.databases.superuserUrl, (client) => client.query<Record<string, unknown>>(sql, values))
const revoke = ({ identityId, secretId: id }: Wrapped) => admin.exchange(Exchange.revokeClientSecret, { identityId, id })

/** What the audit says of unwrapping a secret, in order. */
async function outcomesOf({ secretId }: Wrapped): Promise<unknown[]> {
  const { rows } = await query("select details from exchange.audit_event where action = 'UnwrapClientSecret' and target_id = $1 order by id", secretId)
  return rows.map(({ details }) => Object(details).outcome)
}

describe('CreateClientSecret with wrap_ttl_seconds', () => {
  it('answers with a wrapping token in place of the secret', async () => {
    const { identityId } = await makeWorkload(admin, { name: next() })
    const made = await admin.exchange(Exchange.createClientSecret, { identityId, ...plainSecret, wrapTtlSeconds: 60 })
    const wrappingExpireTime = new Date(system.clock.now().getTime() + MINUTE)
    expect(made).toMatchObject({ secret: '', wrappingToken: expect.stringMatching(/^csw_[0-9A-Za-z]{49}$/), wrappingExpireTime })
  })

  // Whoever reads the database, or a copy of it, must not have the secret. Seen to fail with the text in place of
  // what is sealed.
  it('leaves nothing in the database that gives secret or token, before it is unwrapped or after', async () => {
    const { wrappingToken } = await wrapped()
    const stored = () => storedText(system.databases.superuserUrl, () => true)
    const before = await stored()
    const { secret } = await unwrap(wrappingToken)
    const canaries = [secretCanary('the secret', secret), { ...textCanary('the token', wrappingToken), spellings: [wrappingToken.slice(4)] }, bytesCanary('its bytes', Buffer.from(wrappingToken))]
    for (const text of [before, await stored()]) expect(foundIn(text, canaries)).toEqual([])
    expect(before).toContain(wrappingDigest(wrappingToken).toString('hex'))
  })
})

describe('UnwrapClientSecret', () => {
  describe('answers', () => {
    it('with a secret that logs in, to whoever holds the token, and erases it', async () => {
      const { identityId, clientId, secretId: clientSecretId, wrappingToken } = await wrapped()
      const { secret, ...unwrapped } = await unwrap(wrappingToken)
      expect(unwrapped).toEqual({ organizationId: system.admin.organizationId, identityId, clientId, clientSecretId })
      await system.login({ clientId, clientSecret: secret })
      const { rows } = await query('select sealed_secret, unwrap_time from exchange.wrapped_secret where client_secret_id = $1', clientSecretId)
      expect(rows).toEqual([{ sealed_secret: null, unwrap_time: system.clock.now() }])
    })
  })

  describe('refuses', () => {
    it('a second time, which is an incident in the audit of the organization', async () => {
      const { wrappingToken, identityId, secretId } = await wrapped()
      await unwrap(wrappingToken)
      const again = underRequestId({ address: system.addresses.exchange, requestId: 'stolen' }, (by) => by(Exchange.unwrapClientSecret, { wrappingToken }))
      await expect(again).rejects.toMatchObject(rejected)
      expect(await auditEvents(system.databases.superuserUrl, 'exchange', 'stolen')).toEqual([{
        organization_id: system.admin.organizationId,
        action: 'UnwrapClientSecret',
        actor_identity_id: null,
        actor_token_id: null,
        target_type: 'client-secret',
        target_id: secretId,
        details: { identityId, outcome: 'used', sourceAddress: '127.0.0.1' },
      }])
    })

    // Seen to fail with the state that it is about taken out of what is asked.
    it.each<[string, (of: Wrapped) => unknown]>([
      ['expired', () => system.clock.advance(MINUTE)],
      ['revoked', revoke],
    ])('a token that is %s, and says so in the audit alone', async (outcome, end) => {
      const one = await wrapped()
      await end(one)
      await expect(unwrap(one.wrappingToken)).rejects.toMatchObject(rejected)
      expect(await outcomesOf(one)).toEqual([outcome])
    })

    // Whoever can write to the database must not get at a secret by a token of another one.
    it('what was moved from the row of another secret, and leaves it there', async () => {
      const [one, other] = [await wrapped(), await wrapped()]
      await query('update exchange.wrapped_secret w set sealed_secret = o.sealed_secret from exchange.wrapped_secret o where w.client_secret_id = $1 and o.client_secret_id = $2', one.secretId, other.secretId)
      await expect(unwrap(one.wrappingToken)).rejects.toMatchObject(rejected)
      expect(await outcomesOf(one)).toEqual(['damaged'])
      await unwrap(other.wrappingToken)
    })

    it('one token a hundred times, with ten events', async () => {
      const one = await wrapped()
      await revoke(one)
      for (let time = 0; time < 100; time += 1) await expect(unwrap(one.wrappingToken)).rejects.toMatchObject(rejected)
      expect(await outcomesOf(one)).toHaveLength(10)
      const { rows } = await query('select refusals from exchange.wrapped_secret where client_secret_id = $1', one.secretId)
      expect(rows).toEqual([{ refusals: 100 }])
    })

    it('what was never a token of ours, and writes nothing', async () => {
      const { wrappingToken, clientSecret } = await wrapped()
      const before = await query('select count(*) from exchange.audit_event')
      const others = ['x', `${wrappingToken} `, wrappingToken.slice(0, -1), wrappingToken.toUpperCase(), wrappingText(randomBytes(32)), clientSecret, admin.token]
      for (const text of others) await expect(unwrap(text)).rejects.toMatchObject(rejected)
      expect((await query('select count(*) from exchange.audit_event')).rows).toEqual(before.rows)
      await unwrap(wrappingToken)
    })

    // Seen to fail with another message for a token that was used.
    it('all of these in the same words, to the byte', async () => {
      const [used, revoked] = [await wrapped(), await wrapped()]
      await unwrap(used.wrappingToken)
      await revoke(revoked)
      const said = ({ code, details, trailers, ...outcome }: Outcome) => {
        const [requestId] = trailers.get('x-request-id')
        const rich = trailers.get('grpc-status-details-bin').map((bytes) => bytes.toString('latin1').replaceAll(String(requestId), '<request id>'))
        return [code, details, rich, reasonOf({ code, details, trailers, ...outcome })]
      }
      const tokens = [used.wrappingToken, revoked.wrappingToken, wrappingText(randomBytes(32)), 'x']
      const outcomes = await Promise.all(tokens.map((wrappingToken) => calls.call(Exchange.unwrapClientSecret.path, Exchange.unwrapClientSecret.requestSerialize({ wrappingToken }))))
      expect(new Set(outcomes.map((outcome) => JSON.stringify(said(outcome)))).size).toBe(1)
      expect(outcomes[0]?.code).toBe(status.UNAUTHENTICATED)
    })

    it('no token, and one that is too long', async () => {
      for (const text of ['', 'x'.repeat(4097)]) await expect(unwrap(text)).rejects.toMatchObject(invalid('wrapping_token'))
    })
  })
})
