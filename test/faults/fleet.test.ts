import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { bootstrap, newAdmin } from '../../deploy/local/bootstrap.js'
import { newSecrets } from '../../deploy/local/secrets.js'
import { bindTo, makeProject, makeWorkload, type Workload } from '../support/builders.js'
import { bearer, type Calls, callsTo } from '../support/calls.js'
import { type Fleet, type Member, startFleet } from '../support/fleet.js'
import { type FreshDatabase, freshDatabase } from '../support/postgres.js'
import { isRunning, until } from '../support/running-processes.js'
import type { Credentials } from '../support/system.js'

let database: FreshDatabase
let fleet: Fleet
let projectId: string
let workload: Workload
const opened = new Map<string, Calls>()

beforeAll(async () => {
  database = await freshDatabase()
  const secrets = newSecrets()
  fleet = await startFleet({ ...database, redisUrl: inject('redisUrl'), secrets, from: 'source' })
  const admin = newAdmin()
  await bootstrap(fleet.addresses, { credential: secrets.bootstrapCredential }, admin)
  const { accessToken: token, tokenId } = await login(fleet.addresses.exchange, admin)
  const { registry, exchange, check } = fleet.addresses
  const session = { token, tokenId, registry: at(registry, token), exchange: at(exchange, token), check: at(check, token) }
  projectId = await makeProject(session, 'shop')
  workload = await makeWorkload(session, { name: 'billing' })
  await bindTo(session, workload.identityId, projectId, 'viewer')
})
afterAll(async () => {
  for (const calls of opened.values()) calls.close()
  await fleet.close()
  await database.drop()
})

function at(address: string, token = ''): Calls {
  const known = opened.get(address + token)
  const calls = known ?? callsTo(address, token === '' ? {} : bearer(token))
  opened.set(address + token, calls)
  return calls
}

const login = (address: string, { clientId, clientSecret }: Credentials = workload) =>
  at(address)(Exchange.login, { proof: { $case: 'universalAuth', value: { clientId, clientSecret } } })

const checkAt = ({ address }: Member, accessToken: string) =>
  at(address)(Check.check, { accessToken, projectId, action: 'read', resource: { type: 'secrets', attributes: {} }, consistency: undefined, context: {}, sourceAddress: '' })

function member(members: readonly Member[], name: string): Member {
  const found = members.find((one) => one.name === name)
  if (!found) throw new Error(`there is no ${name}`)
  return found
}

const allowed = { allowed: true }
const isAnswered = (call: Promise<unknown>) => call.then(() => true, () => false)

describe('a fleet', () => {
  it('is two registries, two exchanges and three checks, with an edge from each to all that it calls', () => {
    expect(fleet.edges.map(({ name }) => name)).toEqual([
      ...['registry-1', 'registry-2'].flatMap((name) => [`${name} → postgres`, `${name} → redis`]),
      ...['exchange-1', 'exchange-2'].flatMap((name) => ['postgres', 'redis', 'registry-1', 'registry-2'].map((callee) => `${name} → ${callee}`)),
      ...['check-1', 'check-2', 'check-3'].flatMap((name) =>
        ['redis', 'registry-1', 'registry-2', 'exchange-1', 'exchange-2'].map((callee) => `${name} → ${callee}`),
      ),
    ])
    expect(fleet.edge('check-2 → exchange-1')).toBe(member(fleet.checks, 'check-2').edges['exchange-1'])
    expect(() => fleet.edge('check-2 → postgres')).toThrow('there is no check-2 → postgres')
  })

  // Seen to fail with variables that lead past the proxies.
  it('checks at each replica what was let in at each, and goes every way that there is', async () => {
    for (const exchange of fleet.exchanges) {
      const { accessToken } = await login(exchange.address)
      for (const check of fleet.checks) expect(await checkAt(check, accessToken)).toMatchObject({ ...allowed, identityId: workload.identityId })
    }
    await until(async () => fleet.edges.every(({ proxy }) => proxy.counts().toTarget > 0))
  })

  it('goes on by another replica while the way to one is cut, and comes back to it', async () => {
    const check = member(fleet.checks, 'check-2')
    const cut = fleet.edge('check-2 → exchange-1')
    cut.cut()
    for (let number = 0; number < 5; number += 1) expect(await checkAt(check, (await login(fleet.addresses.exchange)).accessToken)).toMatchObject(allowed)
    const { toTarget } = cut.counts()

    cut.pass()
    await until(async () => cut.counts().toTarget > toTarget)
    expect(await checkAt(check, (await login(fleet.addresses.exchange)).accessToken)).toMatchObject(allowed)
  })

  it('refuses at the one replica whose way to PostgreSQL is cut, until it is mended', async () => {
    const [one, other] = [member(fleet.exchanges, 'exchange-1'), member(fleet.exchanges, 'exchange-2')]
    const edge = fleet.edge('exchange-1 → postgres')
    edge.cut()
    await expect(login(one.address)).rejects.toMatchObject({ kind: 'UNAVAILABLE', reason: 'DATABASE_UNAVAILABLE' })
    expect(await isAnswered(login(other.address))).toBe(true)

    edge.pass()
    await until(() => isAnswered(login(one.address)))
  })

  it('leaves no process behind', async () => {
    const pids = [...fleet.registries, ...fleet.exchanges, ...fleet.checks].map(({ process }) => process.pid)
    expect(await Promise.all(pids.map(isRunning))).toEqual(pids.map(() => true))

    await fleet.close()

    expect(await Promise.all(pids.map(isRunning))).toEqual(pids.map(() => false))
  })
})
