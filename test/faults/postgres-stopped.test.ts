import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DomainError } from '#libs/domain-error.js'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import type { LoginResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { freshNames, makeWorkload, type Workload } from '../support/builders.js'
import { bearer, type Calls, callsTo } from '../support/calls.js'
import { type OwnPostgres, startOwnPostgres } from '../support/own-postgres.js'
import { until } from '../support/running-processes.js'
import { type Session, startSystem, type System } from '../support/system.js'

let postgres: OwnPostgres
let system: System
let admin: Session
let workload: Workload
let registry: Calls
let exchange: Calls
let check: Calls

beforeAll(async () => {
  postgres = await startOwnPostgres()
  system = await startSystem({ databases: postgres })
  admin = await system.session(system.admin)
  workload = await makeWorkload(admin, { name: 'billing' })
  // The deadline is told to the server alone: what it does not answer in time is never answered, and the test fails.
  const headers = { ...bearer(admin.token), 'grpc-timeout': `${DEADLINE_MILLIS}m` }
  registry = callsTo(system.addresses.registry, headers)
  exchange = callsTo(system.addresses.exchange, headers)
  check = callsTo(system.addresses.check, headers)
})
afterAll(async () => {
  for (const calls of [registry, exchange, check]) calls.close()
  await system.close()
  await postgres.close()
})

const DEADLINE_MILLIS = 2_000
/** A machine that does other things too may be late with an answer that was given in time. */
const SLOW_MACHINE_MILLIS = 1_000

const next = freshNames('identity')
const login = () => exchange(Exchange.login, { proof: { $case: 'universalAuth', value: workload } }, Infinity)
const resource = { type: 'secrets', attributes: {} }
const checks = (accessToken: string) => check(Check.check, { accessToken, projectId: '', action: 'read', resource, consistency: undefined, context: {}, sourceAddress: '' }, Infinity)
const revoke = (value: string) => exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value } }, Infinity)

type Kind = 'login' | 'creation' | 'check' | 'revocation'
type Failure = { readonly kind: Kind; readonly error: unknown; readonly millis: number }

/** That a database is away is no word about anybody's credentials: keep them, and try again. */
function isUnavailable({ error, millis }: Failure): boolean {
  const code = error instanceof DomainError && error.cause instanceof Error && 'code' in error.cause ? error.cause.code : undefined
  return code === status.UNAVAILABLE && millis < DEADLINE_MILLIS + SLOW_MACHINE_MILLIS
}

/** Everything that was acknowledged, and every failure, of clients that do one thing after another. */
class Load {
  readonly identities: string[] = []
  readonly tokens: string[] = []
  readonly revoked = new Set<string>()
  readonly answered = { login: 0, creation: 0, check: 0, revocation: 0 }
  readonly unavailable = { login: 0, creation: 0, check: 0, revocation: 0 }
  readonly otherFailures: Failure[] = []
  readonly reasons = new Set<string>()
  #stopped = false
  readonly #clients: Promise<void>[] = []

  start(toRevoke: LoginResponse[]): void {
    this.#clients.push(
      this.#client(async () => this.tokens.push((await this.#insist('login', login)).accessToken)),
      this.#client(async () => this.tokens.push((await this.#insist('login', login)).accessToken)),
      this.#client(async () => this.identities.push((await this.#insist('creation', createIdentity)).id)),
      this.#client(async () => this.identities.push((await this.#insist('creation', createIdentity)).id)),
      this.#client(() => this.#insist('check', () => checks(admin.token))),
      this.#client(async () => {
        // Revoking twice is fine: the last one again and again, so that a revocation is always under way.
        const [{ accessToken, tokenId } = { accessToken: '', tokenId: '' }] = toRevoke.length > 1 ? toRevoke.splice(0, 1) : toRevoke
        await this.#insist('revocation', () => revoke(tokenId))
        this.revoked.add(accessToken)
      }),
    )
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#clients)
  }

  async #client(work: () => Promise<unknown>): Promise<void> {
    while (!this.#stopped) await work().catch(ifStopped)
  }

  /** Asks until it is answered, as whoever hears UNAVAILABLE should. */
  async #insist<T>(kind: Kind, call: () => Promise<T>): Promise<T> {
    while (!this.#stopped) {
      const start = performance.now()
      try {
        const answer = await call()
        this.answered[kind] += 1
        return answer
      } catch (error) {
        const failure = { kind, error, millis: performance.now() - start }
        if (isUnavailable(failure)) this.unavailable[kind] += 1
        else this.otherFailures.push(failure)
        if (error instanceof DomainError) this.reasons.add(error.reason)
      }
    }
    throw new Stopped()
  }
}

class Stopped extends Error {}
const ifStopped = (error: unknown): void => {
  if (!(error instanceof Stopped)) throw error
}
const createIdentity = () => registry(Registry.createIdentity, { name: next(), role: 'viewer' }, Infinity)

const KINDS = ['login', 'creation', 'check', 'revocation'] as const

/** Returns when each kind of call was answered, or was found unavailable, some more times. */
function someMore(load: Load, outcome: 'answered' | 'unavailable'): Promise<void> {
  const before = { ...load[outcome] }
  return until(() => Promise.resolve(load.otherFailures.length > 0 || KINDS.every((kind) => load[outcome][kind] >= before[kind] + 2)))
}

// What was acknowledged is durable. Seen to fail with logins and with identities answered before they are committed, with
// lost connections left untranslated (libs/postgres/errors.ts), and with answers that come after the deadline.
describe.each([
  ['stopped', 'DATABASE_UNAVAILABLE', () => postgres.stop(), () => postgres.restart()],
  ['killed', 'DATABASE_UNAVAILABLE', () => postgres.kill9(), () => postgres.restart()],
  ['paused', 'OUT_OF_TIME', () => postgres.pause(), () => postgres.resume()],
] as const)('while PostgreSQL is %s', (_name, reason, away, back) => {
  it('every call is UNAVAILABLE in time, all recovers by itself, and nothing that was acknowledged is lost', async () => {
    const load = new Load()
    const toRevoke = await Promise.all(Array.from({ length: 10 }, login))
    load.start(toRevoke)
    try {
      await someMore(load, 'answered')
      await away()
      await someMore(load, 'unavailable')
      await back()
      await someMore(load, 'answered')
    } finally {
      await load.stop()
    }

    expect(load.otherFailures).toEqual([])
    expect(load.reasons).toContain(reason)
    const identities = new Set(await identityIds())
    expect(load.identities.filter((id) => !identities.has(id))).toEqual([])
    for (const token of load.tokens) expect(await checks(token)).toMatchObject({ identityId: workload.identityId })
    for (const token of load.revoked) await expect(checks(token)).rejects.toMatchObject({ kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' })
    const { clientSecrets } = await admin.exchange(Exchange.listClientSecrets, { identityId: workload.identityId, pageSize: 0, pageToken: '' })
    expect(clientSecrets[0]?.uses).toBeGreaterThanOrEqual(load.tokens.length + load.revoked.size)
  })
})

async function identityIds(): Promise<string[]> {
  const ids: string[] = []
  let pageToken = ''
  do {
    const page = await admin.registry(Registry.listIdentities, { pageSize: 200, pageToken, name: '' })
    ids.push(...page.identities.map(({ id }) => id))
    pageToken = page.nextPageToken
  } while (pageToken !== '')
  return ids
}
