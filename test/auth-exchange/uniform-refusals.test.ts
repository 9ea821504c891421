import { randomBytes } from 'node:crypto'
import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { secretIdOf, secretText } from '../../services/auth-exchange/domain/client-secret.js'
import { makeWorkload, type Workload } from '../support/builders.js'
import { anyId } from '../support/isolation.js'
import { MINUTE } from '../support/manual-clock.js'
import { type Outcome, rawCallsTo, type RawCalls, reasonOf, richStatusOf } from '../support/raw-calls.js'
import { type Credentials, type Session, startSystem, type System } from '../support/system.js'

// Whoever can't log in is told one thing, byte for byte, whatever is wrong: the true reason is in our log alone. Seen to
// fail with another message for a secret that has expired, and with a trailer of its own for an unknown client id.

let system: System
let admin: Session
let calls: RawCalls
let other: Workload

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  calls = rawCallsTo(system.addresses.exchange)
  other = await makeWorkload(admin, { name: 'other' })
})
afterAll(async () => {
  calls.close()
  await system.close()
})

const login = ({ clientId, clientSecret }: Credentials): Promise<Outcome> =>
  calls.call(Exchange.login.path, Exchange.login.requestSerialize({ proof: { $case: 'universalAuth', value: { clientId, clientSecret } } }))

/** A secret with the same id and another body, its checksum in order. */
const wrongBody = (text: string): string => secretText(secretIdOf(text) ?? '', randomBytes(32))
const withSecret = ({ clientId, clientSecret }: Workload, change: (text: string) => string): Credentials =>
  ({ clientId, clientSecret: change(clientSecret) })
const wrongChecksum = (text: string): string => `${text.slice(0, -1)}${text.endsWith('0') ? '1' : '0'}`

/** What somebody shows who may not come in, and why. The workload is one that could log in until then. */
const REASONS: readonly (readonly [string, string, (workload: Workload) => Credentials | Promise<Credentials>])[] = [
  ['an unknown client id', 'unknown', (workload) => ({ ...workload, clientId: anyId() })],
  ['the client id of another', 'unknown', (workload) => ({ ...workload, clientId: other.clientId })],
  ['the secret of another', 'unknown', (workload) => ({ ...workload, clientSecret: other.clientSecret })],
  ['a secret with an unknown id', 'unknown', (workload) => withSecret(workload, () => secretText(anyId(), randomBytes(32)))],
  ['a wrong secret', 'wrong', (workload) => withSecret(workload, wrongBody)],
  ['a secret with a wrong checksum', 'malformed', (workload) => withSecret(workload, wrongChecksum)],
  ['a secret with a space after it', 'malformed', (workload) => withSecret(workload, (text) => `${text} `)],
  ['a secret in upper case', 'malformed', (workload) => withSecret(workload, (text) => text.toUpperCase())],
  ['half a secret', 'malformed', (workload) => withSecret(workload, (text) => text.slice(0, 40))],
  ['a secret of 4096 characters', 'malformed', (workload) => withSecret(workload, (text) => text.padEnd(4096, 'x'))],
  ['a token in place of a secret', 'malformed', (workload) => ({ ...workload, clientSecret: admin.token })],
  ['an expired secret', 'expired', (workload) => {
    system.clock.advance(2 * MINUTE)
    return workload
  }],
  ['a revoked secret', 'revoked', async (workload) => {
    await admin.exchange(Exchange.revokeClientSecret, { identityId: workload.identityId, id: workload.secretId })
    return workload
  }],
  ['a spent secret', 'spent', async (workload) => {
    await system.login(workload)
    return workload
  }],
  ['a disabled identity', 'identity-not-active', async (workload) => {
    await system.everywhere(admin.registry(Registry.disableIdentity, { id: workload.identityId }))
    return workload
  }],
  ['a deleted identity', 'identity-not-active', async (workload) => {
    await system.everywhere(admin.registry(Registry.deleteIdentity, { id: workload.identityId, etag: '' }))
    return workload
  }],
]

/** Every byte that the caller gets, but for what names this one call and the server's time. */
function received(outcome: Outcome): unknown {
  const [requestId] = outcome.trailers.get('x-request-id')
  const masked = (bytes: Buffer) => bytes.toString('latin1').replaceAll(String(requestId), '<request id>')
  const inOrder = (metadata: Outcome['trailers']) =>
    Object.entries(metadata.toJSON())
      .filter(([name]) => name !== 'date')
      .map(([name, values]) => [name, values.map((value) => masked(Buffer.from(value)))])
  const { code, details, answer } = outcome
  return { code, details, answer, headers: inOrder(outcome.headers), trailers: inOrder(outcome.trailers) }
}

const refusals = new Map<string, Outcome>()

describe('a login is refused', () => {
  it.each(REASONS)('with %s', async (name, reason, shown) => {
    const workload = await makeWorkload(admin, { name: name.replaceAll(' ', '-'), ttlSeconds: 60, useLimit: reason === 'spent' ? 1 : 0 })
    const credentials = await shown(workload)
    const before = system.logged().length
    const outcome = await login(credentials)
    refusals.set(name, outcome)
    expect([outcome.code, reasonOf(outcome)]).toEqual([status.UNAUTHENTICATED, 'CREDENTIALS_REJECTED'])
    expect(system.logged().slice(before)).toContain(`"login_refused":"${reason}"`)
  })

  it('in the same words, to the byte', () => {
    const [first, ...others] = REASONS.map(([name]) => refusals.get(name)).map((outcome) => outcome && received(outcome))
    expect(others).toHaveLength(REASONS.length - 1)
    for (const one of others) expect(one).toEqual(first)
  })

  it('in words that say nothing else', () => {
    for (const outcome of refusals.values()) {
      const [requestId] = outcome.trailers.get('x-request-id')
      expect(Object.keys(outcome.trailers.toJSON()).sort()).toEqual(['content-type', 'date', 'grpc-status-details-bin', 'x-request-id'])
      expect(richStatusOf(outcome)).toEqual({
        code: status.UNAUTHENTICATED,
        message: 'Client credentials were rejected.',
        details: [
          ['type.googleapis.com/google.rpc.ErrorInfo', { reason: 'CREDENTIALS_REJECTED', domain: 'countersign', metadata: {} }],
          ['type.googleapis.com/google.rpc.RequestInfo', { requestId, servingData: '' }],
        ],
      })
    }
  })
})

describe('a login is answered', () => {
  it('when nothing is wrong', async () => {
    expect((await login(other)).code).toBe(status.OK)
  })
})
