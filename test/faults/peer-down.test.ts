import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { freshNames, makeWorkload, type Workload } from '../support/builders.js'
import { bearer, type Calls, callsTo } from '../support/calls.js'
import { until } from '../support/running-processes.js'
import { startSystem, type System } from '../support/system.js'
import { type SeparateServices, separateServices } from './separate-services.js'

let system: System
let services: SeparateServices
let workload: Workload
const opened: Calls[] = []
let registry: Calls
let exchange: Calls
let check: Calls
let token: string

beforeAll(async () => {
  system = await startSystem()
  const admin = await system.session(system.admin)
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

/** Of each service what needs others. */
const calls = {
  'a management call of the registry': () => registry(Registry.createIdentity, { name: next(), role: 'viewer' }, DEADLINE_MILLIS),
  'a management call of the exchange': () => exchange(Exchange.listClientSecrets, { ...workload, pageSize: 0, pageToken: '' }, DEADLINE_MILLIS),
  'a login': () => login(),
  'a check': () => check(Check.check, { accessToken: token, projectId: '', action: 'read', resource, consistency: undefined }, DEADLINE_MILLIS),
}
type Name = keyof typeof calls

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
      await expect(calls[name]()).rejects.toMatchObject({ kind: 'UNAVAILABLE', reason: reasonOf(down, name), cause: { code: 14 } })
    }
  })

  it('all is answered once it is back, with nothing else started again', async () => {
    await services[down].start()
    for (const name of failing) await until(() => isAnswered(name))
  })
})

/** What a service that follows the one that is away says itself is that its lease lapsed; whoever asks it repeats until its own time is over. */
function reasonOf(down: keyof Omit<SeparateServices, 'close'>, name: Name): string {
  if (down === 'check') return 'PEER_UNAVAILABLE'
  return name.startsWith('a management call') ? 'OUT_OF_TIME' : 'LEASE_LAPSED'
}

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
