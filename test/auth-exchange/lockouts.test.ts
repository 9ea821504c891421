import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { invalid } from '../identity-registry/expected.js'
import { freshNames, makeWorkload, UNKNOWN_ID, type Workload } from '../support/builders.js'
import { type Caller, callerFrom, wrongSecret } from '../support/failing-logins.js'
import { MINUTE } from '../support/manual-clock.js'
import { reasonOf } from '../support/raw-calls.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { type AnotherExchange, anotherExchange } from './another-exchange.js'

let system: System
let admin: Session
let replica: AnotherExchange
/** From 127.0.0.2 and 127.0.0.3 to the one, from 127.0.0.2 to the other. */
let callers: readonly [Caller, Caller, Caller]

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  replica = await anotherExchange(system)
  callers = [
    await callerFrom(system.addresses.exchange, '127.0.0.2'),
    await callerFrom(system.addresses.exchange, '127.0.0.3'),
    await callerFrom(replica.address, '127.0.0.2'),
  ]
})
afterAll(async () => {
  for (const caller of callers) await caller.close()
  await replica.close()
  await system.close()
})

const next = freshNames('workload')
const newWorkload = () => makeWorkload(admin, { name: next() })
const list = (identityId: string, by = admin) => by.exchange(Exchange.listLockouts, { identityId })
const clear = (identityId: string, by = admin) => by.exchange(Exchange.clearLockouts, { identityId })

/** The reasons of so many failures in a row. */
async function fail(caller: Caller, workload: Workload, count: number): Promise<(string | undefined)[]> {
  const reasons: (string | undefined)[] = []
  for (let time = 0; time < count; time += 1) reasons.push(reasonOf(await caller.login(wrongSecret(workload))))
  return reasons
}

const [REJECTED, THROTTLED] = ['CREDENTIALS_REJECTED', 'LOGIN_THROTTLED']

describe('ListLockouts', () => {
  describe('answers', () => {
    it('with from where failures are throttled, and until when', async () => {
      const [one, other] = callers
      const { identityId, clientId, ...rest } = await newWorkload()
      const workload = { identityId, clientId, ...rest }
      expect(await list(identityId)).toEqual({ lockouts: [], totalCount: 0 })
      await fail(one, workload, 3)
      const first = { identityId, clientId, source: '127.0.0.2', endTime: new Date(system.clock.now().getTime() + 5 * MINUTE) }
      system.clock.advance(MINUTE)
      await fail(other, workload, 4)
      const second = { identityId, clientId, source: '127.0.0.3', endTime: new Date(system.clock.now().getTime() + 5 * MINUTE) }
      expect(await list(identityId)).toEqual({ lockouts: [second, first], totalCount: 2 })
      system.clock.advance(4 * MINUTE)
      expect(await list(identityId)).toEqual({ lockouts: [second], totalCount: 1 })
    })

    it('with nothing where the failures are of another identity, or all too few', async () => {
      const [workload, other] = [await newWorkload(), await newWorkload()]
      await fail(callers[0], workload, 2)
      await fail(callers[0], other, 3)
      expect((await list(workload.identityId)).totalCount).toBe(0)
    })
  })

  describe('refuses', () => {
    it('what is no id', () => expect(list('x')).rejects.toMatchObject(invalid('identity_id')))

    it('an identity without Universal Auth, and one of another organization', async () => {
      const { id } = await admin.registry(Registry.createIdentity, { name: next(), role: '' })
      for (const identityId of [id, UNKNOWN_ID, (await system.newOrganization()).identityId]) {
        await expect(list(identityId)).rejects.toMatchObject({ kind: 'NOT_FOUND', reason: 'AUTH_METHOD_NOT_FOUND' })
      }
    })
  })
})

describe('ClearLockouts', () => {
  describe('answers', () => {
    it('with how many there were, and has failures be counted anew', async () => {
      const workload = await newWorkload()
      expect(await fail(callers[0], workload, 4)).toEqual([REJECTED, REJECTED, REJECTED, THROTTLED])
      expect(await clear(workload.identityId)).toEqual({ clearedCount: 1, revision: expect.stringMatching(/^exchange\./) })
      expect((await list(workload.identityId)).totalCount).toBe(0)
      expect(await fail(callers[0], workload, 4)).toEqual([REJECTED, REJECTED, REJECTED, THROTTLED])
    })

    it('and other replicas hear of it, whose failures count anew too', async () => {
      const workload = await newWorkload()
      const elsewhere = callers[2]
      expect(await fail(elsewhere, workload, 4)).toEqual([REJECTED, REJECTED, REJECTED, THROTTLED])
      system.clock.advance(1)
      expect(await clear(workload.identityId)).toMatchObject({ clearedCount: 0 })
      expect(await fail(elsewhere, workload, 4)).toEqual([REJECTED, REJECTED, REJECTED, THROTTLED])
    })

    it('of one identity alone', async () => {
      const [workload, other] = [await newWorkload(), await newWorkload()]
      await fail(callers[0], workload, 3)
      await clear(other.identityId)
      expect(await fail(callers[0], workload, 1)).toEqual([THROTTLED])
    })
  })

  describe('refuses', () => {
    it('what is no id', () => expect(clear('x')).rejects.toMatchObject(invalid('identity_id')))

    it('an identity without Universal Auth, and one of another organization, whose lockouts stay', async () => {
      const { id } = await admin.registry(Registry.createIdentity, { name: next(), role: '' })
      const foreign = await system.newOrganization()
      await fail(callers[0], { ...foreign, secretId: '' }, 3)
      for (const identityId of [id, UNKNOWN_ID, foreign.identityId]) {
        await expect(clear(identityId)).rejects.toMatchObject({ kind: 'NOT_FOUND', reason: 'AUTH_METHOD_NOT_FOUND' })
      }
      expect((await list(foreign.identityId, await system.session(foreign))).totalCount).toBe(1)
    })
  })
})
