import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DomainError } from '#libs/domain-error.js'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import type { LoginResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { freshNames, makeWorkload, type Workload } from '../support/builders.js'
import { bearer, type Calls, callsTo } from '../support/calls.js'
import { SECOND } from '../support/manual-clock.js'
import { until } from '../support/running-processes.js'
import { BOUNDED, FULL, type Session, startSystem, type System } from '../support/system.js'
import { type SeparateServices, separateServices } from './separate-services.js'

let system: System
let admin: Session
let services: SeparateServices
let workload: Workload
const opened: Calls[] = []
let registry: Calls
let exchange: Calls
let check: Calls
let token: string

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  token = admin.token
  workload = await makeWorkload(admin, { name: 'billing' })
  services = await separateServices(system)
  const open = (address: string): Calls => {
    const calls = callsTo(address, bearer(token))
    opened.push(calls)
    return calls
  }
  registry = open(services.registry.address)
  exchange = open(services.exchange.address)
  check = open(services.check.address)
})
afterAll(async () => {
  for (const calls of opened) calls.close()
  await services.close()
  await system.close()
})

const next = freshNames('identity')
const DEADLINE_MILLIS = 2_000

const login = (clientSecret = workload.clientSecret) =>
  exchange(Exchange.login, { proof: { $case: 'universalAuth', value: { clientId: workload.clientId, clientSecret } } }, DEADLINE_MILLIS)

const resource = { type: 'secrets', attributes: {} }
const checkOf = (accessToken: string, consistency = BOUNDED) =>
  check(Check.check, { accessToken, projectId: '', action: 'read', resource, consistency, context: {}, sourceAddress: '' }, DEADLINE_MILLIS)

const isRefused = (accessToken: string) =>
  checkOf(accessToken).then(() => false, (error: unknown) => error instanceof DomainError && error.kind === 'UNAUTHENTICATED')

/** Long enough to be checked before it ends: the clock of the owners stands still. Without an owner, time goes by. */
const ENDING_SECONDS = 3
const newWorkload = (tokenTtlSeconds = 3600) => makeWorkload(admin, { name: next(), tokenTtlSeconds })

/** Of each service what needs others. */
const calls = {
  'a management call of the registry': () => registry(Registry.createIdentity, { name: next(), role: 'viewer' }, DEADLINE_MILLIS),
  'a management call of the exchange': () => exchange(Exchange.listClientSecrets, { ...workload, pageSize: 0, pageToken: '' }, DEADLINE_MILLIS),
  'a login': () => login(),
  'a check': () => checkOf(token),
}
type Name = keyof typeof calls
const NAMES: readonly Name[] = ['a management call of the registry', 'a management call of the exchange', 'a login', 'a check']

const isAnswered = (name: Name) => calls[name]().then(() => true, () => false)

// Whoever hears anything but UNAVAILABLE throws away a credential or a token that is good. Seen to fail with the status of a
// peer that is not there taken for INTERNAL.
describe.each<[keyof Omit<SeparateServices, 'close'>, Name[]]>([
  ['registry', ['a management call of the exchange', 'a login', 'a check']],
  ['exchange', ['a management call of the registry', 'a check']],
  ['check', ['a management call of the registry', 'a management call of the exchange']],
])('while the %s is down', (down, failing) => {
  beforeAll(() => services[down].stop())

  it.each(failing)('%s is UNAVAILABLE, again and again', async (name) => {
    for (let times = 0; times < 3; times += 1) {
      // By code, since a call that was never answered is UNAVAILABLE to this side too.
      await expect(calls[name]()).rejects.toMatchObject({ kind: 'UNAVAILABLE', reason: reasonOf(down), cause: { code: 14 } })
    }
  })

  it('all is answered once it is back, with nothing else started again', async () => {
    await services[down].start()
    for (const name of failing) await until(() => isAnswered(name))
  })
})

/** What a service that follows the one that is away has waited for, and says once: nobody in between repeats it. */
const reasonOf = (down: keyof Omit<SeparateServices, 'close'>): string => (down === 'check' ? 'PEER_UNAVAILABLE' : 'LEASE_LAPSED')

// What never changes back needs nobody. Seen to fail without isOverForEver.
describe.each<(keyof Omit<SeparateServices, 'close'>)[][]>([[['registry']], [['exchange']], [['registry', 'exchange']]])('while %j is down', (down) => {
  const rejected = { kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' }
  let revoked: LoginResponse
  let deleted: LoginResponse
  let disabled: LoginResponse
  let ending: LoginResponse

  beforeAll(async () => {
    const [toRevoke, toDelete, toDisable] = await Promise.all([newWorkload(), newWorkload(), newWorkload()])
    revoked = await system.login(toRevoke)
    deleted = await system.login(toDelete)
    disabled = await system.login(toDisable)
    await admin.exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value: revoked.tokenId } })
    await admin.registry(Registry.deleteIdentity, { id: toDelete.identityId, etag: '' })
    await admin.registry(Registry.disableIdentity, { id: toDisable.identityId })
    ending = await system.login(await newWorkload(ENDING_SECONDS))
    for (const { accessToken } of [revoked, deleted, disabled]) await expect(checkOf(accessToken, FULL)).rejects.toMatchObject(rejected)
    for (const accessToken of [token, ending.accessToken]) await checkOf(accessToken, FULL)
    for (const name of down) await services[name].stop()
    await until(async () => !(await isAnswered('a check')))
  })
  afterAll(async () => {
    for (const name of down) await services[name].start()
    for (const name of NAMES) await until(() => isAnswered(name))
  })

  it.each([
    ['was revoked', () => revoked],
    ['belongs to a deleted identity', () => deleted],
  ])('a token that was seen when it %s is refused', async (_what, known) => {
    await expect(checkOf(known().accessToken)).rejects.toMatchObject(rejected)
  })

  it.each([
    ['is good', () => token],
    ['belongs to a disabled identity, which may be enabled by now', () => disabled.accessToken],
  ])('nothing is said of a token that %s', async (_what, known) => {
    await expect(checkOf(known())).rejects.toMatchObject({ kind: 'UNAVAILABLE', reason: 'LEASE_LAPSED' })
  })

  it('a token is refused once it has expired', async () => {
    system.clock.advance(ENDING_SECONDS * SECOND)
    await until(() => isRefused(ending.accessToken))
  })
})

describe('what needs no peer', () => {
  it('a login goes on without authorization-check', async () => {
    await services.check.stop()
    expect(await login()).toMatchObject({ expiresInSeconds: 3600 })
    await services.check.start()
  })

  it('a wrong secret is rejected while the registry is down', async () => {
    await services.registry.stop()
    await expect(login('csk_')).rejects.toMatchObject({ kind: 'UNAUTHENTICATED', reason: 'CREDENTIALS_REJECTED' })
    await services.registry.start()
  })
})
