import { randomBytes } from 'node:crypto'
import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { secretText } from '../../services/auth-exchange/domain/client-secret.js'
import { MOST_HELD } from '../../services/auth-exchange/rpc/hold-throttled.js'
import { freshNames, makeWorkload, type Workload } from '../support/builders.js'
import { answersTo, type Caller, callerFrom, wrongSecret } from '../support/failing-logins.js'
import { anyId } from '../support/isolation.js'
import { MINUTE, SECOND } from '../support/manual-clock.js'
import { type Outcome, reasonOf, refusedFields, richStatusOf } from '../support/raw-calls.js'
import { type Credentials, type Session, startSystem, type System } from '../support/system.js'

let system: System
let admin: Session
const callers = new Map<number, Caller>()

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(async () => {
  for (const caller of callers.values()) await caller.close()
  await system.close()
})

const next = freshNames('workload')
const newWorkload = () => makeWorkload(admin, { name: next() })

/** Whoever logs in from the nth address of this machine. Every test has addresses of its own. */
async function from(place: number): Promise<Caller> {
  const caller = callers.get(place) ?? (await callerFrom(system.addresses.exchange, `127.0.${1 + Math.floor(place / 250)}.${1 + (place % 250)}`))
  callers.set(place, caller)
  return caller
}

let places = 1_000
const freshSource = () => from((places += 1))

/** What one caller is told of one login after the other, all but ids of calls and the time of day. */
async function toldOf(caller: Caller, attempts: readonly Credentials[]): Promise<string[]> {
  const told: string[] = []
  for (const credentials of attempts) told.push(textOf(await caller.login(credentials)))
  return told
}

function textOf(outcome: Outcome): string {
  const { code, details, trailers, headers } = outcome
  const [requestId] = trailers.get('x-request-id')
  const names = [headers, trailers].map((metadata) => Object.keys(metadata.toJSON()).sort())
  const pushback = trailers.get('grpc-retry-pushback-ms')
  return JSON.stringify({ code, details, names, pushback, rich: richStatusOf(outcome) }).replaceAll(String(requestId), '<request id>')
}

const times = <T>(count: number, make: (place: number) => T): T[] => Array.from({ length: count }, (_, place) => make(place))

/** What somebody shows who may not come in, each time anew. */
const WRONG: readonly (readonly [string, (workload: Workload) => () => Credentials])[] = [
  ['an unknown client id', (workload) => {
    const clientId = anyId()
    return () => ({ ...workload, clientId })
  }],
  ['a secret with an unknown id', (workload) => () => ({ ...workload, clientSecret: secretText(anyId(), randomBytes(32)) })],
  ['a wrong secret', (workload) => () => wrongSecret(workload)],
  ['no text of a secret', (workload) => () => ({ ...workload, clientSecret: 'csk_' })],
]

/** What somebody or other takes for the same id. */
const respelled = (id: string): string[] => [
  id.toUpperCase(), ` ${id}`, `${id} `, `${id}\n`, `${id}\0`, `\u200b${id}`, `{${id}}`, `urn:uuid:${id}`, id.replaceAll('-', ''), id.replaceAll('-', '\u2010'), id.replaceAll('0', '\uff10'), `${id.slice(0, -1)}\u0660`,
]

describe('failed logins', () => {
  it('are told so three times, and then to wait until when', async () => {
    const [caller, workload] = [await freshSource(), await newWorkload()]
    expect(await answersTo(3, () => caller.login(wrongSecret(workload)), 1)).toEqual({ CREDENTIALS_REJECTED: 3 })
    system.clock.advance(10 * SECOND)
    const outcome = await caller.login(wrongSecret(workload))
    expect(richStatusOf(outcome)).toEqual({
      code: status.RESOURCE_EXHAUSTED,
      message: 'Client credentials were rejected, and too often by now: correct them.',
      details: [
        ['type.googleapis.com/google.rpc.ErrorInfo', { reason: 'LOGIN_THROTTLED', domain: 'countersign', metadata: {} }],
        ['type.googleapis.com/google.rpc.RequestInfo', expect.anything()],
        ['type.googleapis.com/google.rpc.RetryInfo', { retryDelay: { seconds: 290, nanos: 0 } }],
      ],
    })
    expect(reasonOf(await (await freshSource()).login(wrongSecret(workload)))).toBe('CREDENTIALS_REJECTED')
    system.clock.advance(5 * MINUTE)
    expect(reasonOf(await caller.login(wrongSecret(workload)))).toBe('CREDENTIALS_REJECTED')
  })

  // Whoever counts failures of real client ids alone tells which are real (CVE-2025-6010). Seen to fail with unknown ones not counted.
  it('are answered alike, one after the other and to the byte, whatever is wrong', async () => {
    const stories: string[][] = []
    for (const [, wrong] of WRONG) {
      const shown = wrong(await newWorkload())
      const caller = await freshSource()
      const early = await toldOf(caller, times(5, shown))
      system.clock.advance(SECOND)
      stories.push([...early, ...(await toldOf(caller, times(2, shown)))])
    }
    for (const story of stories) expect(story).toEqual(stories[0])
    expect(stories[0]?.map((told) => told.includes('LOGIN_THROTTLED'))).toEqual([false, false, false, true, true, true, true])
  })

  // Whoever spells a client id otherwise must not begin anew (CVE-2025-6004, CVE-2025-54998). Seen to fail with client ids trimmed and put in lower case.
  it('are of one spelling of a client id, so that no other gets by', async () => {
    const [caller, workload] = [await freshSource(), await newWorkload()]
    await answersTo(3, () => caller.login(wrongSecret(workload)), 1)
    for (const clientId of respelled(workload.clientId)) {
      const outcome = await caller.login({ ...wrongSecret(workload), clientId })
      expect([clientId, outcome.code, refusedFields(outcome)]).toEqual([clientId, status.INVALID_ARGUMENT, ['universal_auth.client_id']])
    }
    expect(reasonOf(await caller.login(wrongSecret(workload)))).toBe('LOGIN_THROTTLED')
  })

  it('are judged as they end, so that none gets by that are under way at once', async () => {
    const [caller, workload] = [await freshSource(), await newWorkload()]
    expect(await answersTo(100, () => caller.login(wrongSecret(workload)), 100)).toEqual({ CREDENTIALS_REJECTED: 3, LOGIN_THROTTLED: 97 })
  })

  it('have no line each in the log, once they are throttled', async () => {
    const [caller, workload] = [await freshSource(), await newWorkload()]
    const before = system.logged().length
    await answersTo(20, () => caller.login(wrongSecret(workload)), 1)
    expect(system.logged().slice(before).split('"login_refused":"wrong"')).toHaveLength(4)
  })

  it('are judged by the lockout settings of the identity, where they name a secret of it', async () => {
    const { identityId, ...workload } = await newWorkload()
    const method = await admin.exchange(Exchange.getUniversalAuth, { identityId })
    const update = (lockout: Partial<NonNullable<typeof method.lockout>>) => admin.exchange(Exchange.updateUniversalAuth, { ...method, etag: '', lockout: { ...method.lockout, ...lockout } })
    const answers = async (shown: () => Credentials, count: number) => {
      const caller = await freshSource()
      return answersTo(count, () => caller.login(shown()), 1)
    }
    await update({ threshold: 1, durationSeconds: 60 })
    expect(await answers(() => wrongSecret(workload), 5)).toEqual({ CREDENTIALS_REJECTED: 1, LOGIN_THROTTLED: 4 })
    await update({ enabled: false })
    expect(await answers(() => wrongSecret(workload), 20)).toEqual({ CREDENTIALS_REJECTED: 20 })
    expect(await answers(() => ({ ...workload, clientSecret: secretText(anyId(), randomBytes(32)) }), 5)).toEqual({ CREDENTIALS_REJECTED: 3, LOGIN_THROTTLED: 2 })
  })
})

/** How an honest login ends; all of this runs in one process, which may be too slow for a while and then says so. */
async function codeOf(caller: Caller, credentials: Credentials): Promise<number> {
  const { code } = await caller.login(credentials)
  return code === status.UNAVAILABLE ? codeOf(caller, credentials) : code
}

// Others refuse whoever has the right secret too, so that anybody who knows a client id can lock a workload out (Keycloak
// GHSA-cq42-vhv7-xr7p). Seen to fail with what is throttled refused before it is verified.
describe('a good secret', () => {
  it('is accepted after any number of failures, from where they came and from elsewhere, and then they are forgotten', async () => {
    const [caller, workload] = [await freshSource(), await newWorkload()]
    await answersTo(10, () => caller.login(wrongSecret(workload)))
    expect((await (await freshSource()).login(workload)).code).toBe(status.OK)
    expect(reasonOf(await caller.login(wrongSecret(workload)))).toBe('LOGIN_THROTTLED')
    expect((await caller.login(workload)).code).toBe(status.OK)
    expect(reasonOf(await caller.login(wrongSecret(workload)))).toBe('CREDENTIALS_REJECTED')
  })

  it('is accepted as soon as what was wrong with it no longer is', async () => {
    const [caller, workload] = [await freshSource(), await newWorkload()]
    await system.everywhere(admin.registry(Registry.disableIdentity, { id: workload.identityId }))
    expect(await answersTo(5, () => caller.login(workload), 1)).toEqual({ CREDENTIALS_REJECTED: 3, LOGIN_THROTTLED: 2 })
    await system.everywhere(admin.registry(Registry.enableIdentity, { id: workload.identityId }))
    expect((await caller.login(workload)).code).toBe(status.OK)
  })

  it('is accepted beside 10 000 failures from one source, there and elsewhere', { timeout: 300_000 }, async () => {
    const [source, elsewhere, workload] = [await freshSource(), await freshSource(), await newWorkload()]
    const honest: number[] = []
    const wrong = WRONG.map(([, make]) => make(workload))
    const answers = await answersTo(10_000, async (place) => {
      if (place % 100 === 0) for (const caller of [source, elsewhere]) honest.push(await codeOf(caller, workload))
      return source.login(wrong[place % wrong.length]?.() ?? wrongSecret(workload))
    }, MOST_HELD)
    expect(honest).toEqual(times(200, () => status.OK))
    expect(answers['OK']).toBeUndefined()
    expect(answers['LOGIN_THROTTLED']).toBeGreaterThan(9_000)
  })

  it('is accepted beside 4 000 failures from 200 sources', { timeout: 300_000 }, async () => {
    const workload = await newWorkload()
    const sources = await Promise.all(times(200, (place) => from(place)))
    const honest: number[] = []
    const answers = await answersTo(4_000, async (place) => {
      const caller = sources[place % sources.length]
      if (!caller) throw new Error('no source')
      if (place % 100 === 0) honest.push(await codeOf(caller, workload))
      return caller.login(place % 2 === 0 ? wrongSecret(workload) : { ...workload, clientId: anyId() })
    }, sources.length)
    expect(honest).toEqual(times(40, () => status.OK))
    expect(answers['OK']).toBeUndefined()
  })
})
