import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { ExchangeInternalServiceService as Internal, type SigningKey, SigningKeyState } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { CEILING_SECONDS } from '../../services/auth-exchange/domain/access-token.js'
import { CALLER_SECRET, internalCallersOf } from '../support/confined-services.js'
import { installationEvents } from '../support/installation-events.js'
import { asService, type Calls, callsTo } from '../support/calls.js'
import { keyKeeperOf } from '../support/key-keeper.js'
import { HOUR, SECOND } from '../support/manual-clock.js'
import { operatorOf } from '../support/operator.js'
import { startSystem, type System } from '../support/system.js'
import { invalid } from '../identity-registry/expected.js'
import { type AnotherExchange, anotherExchange } from './another-exchange.js'

const LEAD = HOUR
const DAY = 24 * HOUR

let system: System
let operator: Calls

beforeAll(async () => {
  system = await startSystem()
  operator = operatorOf(system)
})
afterAll(async () => {
  operator.close()
  await system.close()
})

const keys = async (): Promise<readonly SigningKey[]> => (await operator(Internal.listSigningKeys, {})).keys
const keyIn = async (state: SigningKeyState): Promise<SigningKey> => {
  const found = (await keys()).find((key) => key.state === state)
  if (!found) throw new Error('no key is in that state')
  return found
}
const rotate = async (atOnce = false) => operator(Internal.rotateSigningKey, { atOnce })
const kidOf = (token: string): string => decodeProtectedHeader(token).kid ?? ''
const published = (by: Calls = system.anonymous.exchange): Promise<JSONWebKeySet> => by(Exchange.getJsonWebKeySet, {}).then(({ keys: found }) => ({ keys: [...found] }))
const kidsIn = (set: JSONWebKeySet) => set.keys.map(({ kid }) => kid)
const verified = (token: string, set: JSONWebKeySet) => jwtVerify(token, createLocalJWKSet(set), { currentDate: system.clock.now(), algorithms: ['ES256'] })
const login = async (by: Pick<AnotherExchange, 'login'> = system): Promise<string> => (await by.login(system.admin)).accessToken
const isAllowed = async (token: string): Promise<boolean> => (await system.check(token, 'read', 'organization')).allowed

/** A replica that starts looks at the keys first thing, as every one does twice a minute. */
async function withReplica<T>(work: (replica: AnotherExchange) => Promise<T>, environment: Record<string, string> = {}): Promise<T> {
  const replica = await anotherExchange(system, environment)
  try {
    return await work(replica)
  } finally {
    await replica.close()
  }
}
const lookedAt = (environment?: Record<string, string>) => withReplica(() => Promise.resolve(), environment)

describe('RotateSigningKey', () => {
  it('publishes the next key and leaves the signing to the one that signs', async () => {
    const before = await keyIn(SigningKeyState.ACTIVE)
    const { key, revision } = await rotate()
    expect(key).toMatchObject({ state: SigningKeyState.PREPARED, createTime: system.clock.now(), activateTime: new Date(system.clock.now().getTime() + LEAD) })
    expect(revision).not.toBe('')
    expect(kidsIn(await published())).toEqual(expect.arrayContaining([before.kid, key?.kid]))
    expect(kidOf(await login())).toBe(before.kid)
    expect((await rotate()).key).toEqual(key)
  })

  it('has the next key sign once a verifier that looks once in the lead knows it, and tokens of before stay good', async () => {
    const [old, { kid }] = [await login(), await keyIn(SigningKeyState.PREPARED)]
    const held = await published()
    system.clock.advance(LEAD - SECOND)
    await lookedAt()
    expect(kidOf(await login())).toBe(kidOf(old))
    system.clock.advance(SECOND)
    await lookedAt()
    const token = await login()
    expect(kidOf(token)).toBe(kid)
    await expect(verified(token, held)).resolves.toBeDefined()
    // The first was for an hour, which is over.
    expect([await isAllowed(token), kidOf(old) === kid]).toEqual([true, false])
    expect(await keyIn(SigningKeyState.RETIRED)).toMatchObject({ kid: kidOf(old), retireTime: system.clock.now(), keyEncryptionKeyId: '' })
    expect(kidsIn(await published())).toContain(kidOf(old))
  })

  it('at once has every replica sign with another key from the next login on, and accept what the others sign', async () => {
    await withReplica(async (replica) => {
      const old = await login(replica)
      const { key } = await rotate(true)
      expect(key).toMatchObject({ state: SigningKeyState.ACTIVE })
      const [here, there] = [await login(), await login(replica)]
      expect([kidOf(here), kidOf(there)]).toEqual([key?.kid, key?.kid])
      expect(await Promise.all([old, here, there].map(isAllowed))).toEqual([true, true, true])
      const renewed = await replica.calls(Exchange.renewAccessToken, { accessToken: old })
      expect(kidOf(renewed.accessToken)).toBe(key?.kid)
    })
  })

  it('is followed by a replica that starts after whoever prepared the key is gone', async () => {
    const kid = await withReplica(async ({ internalAddress }) => {
      const calls = operatorOf(system, internalAddress)
      return calls(Internal.rotateSigningKey, { atOnce: false }).then(({ key }) => key?.kid).finally(() => calls.close())
    })
    system.clock.advance(3 * DAY)
    await lookedAt()
    const token = await login()
    expect([kidOf(token), await isAllowed(token)]).toEqual([kid, true])
  })

  it('leaves no replica with the private half of the key of before, and signs what was under way with the next', async () => {
    const replica = keyKeeperOf(system)
    try {
      await replica.keep()
      const { kid } = await keyIn(SigningKeyState.ACTIVE)
      expect((await replica.keys.signing(kid)).kid).toBe(kid)
      const { key } = await rotate(true)
      // Not told yet: it signs with what the database said a moment ago.
      expect((await replica.keys.signing(kid)).kid).toBe(kid)
      await replica.keep()
      expect((await replica.keys.signing(kid)).kid).toBe(key?.kid)
      const stored = await withClient(system.databases.superuserUrl, async (client) => (await client.query('select state from exchange.signing_key where sealed_private_key is null group by state')).rows)
      expect(stored).toEqual([{ state: 'retired' }])
    } finally {
      await replica.close()
    }
  })

  it('is audited step by step', async () => {
    const { key } = await rotate(true)
    expect(await installationEvents(system, key?.kid ?? '')).toEqual([
      { action: 'RotateSigningKey', details: { kid: key?.kid, by: 'bootstrap', atOnce: true, isMade: true } },
      { action: 'ActivateSigningKey', details: { kid: key?.kid, by: 'auth-exchange' } },
    ])
  })
})

describe('the schedule', () => {
  // Seen to fail, with steps that were taken by several, without the constraint that lets one key be prepared, and without
  // the rows held while it is decided what is due.
  it('is kept once, however many replicas keep it at a time', async () => {
    const replicas = Array.from({ length: 6 }, () => keyKeeperOf(system))
    const atOnce = async () => {
      await replicas[0]?.keepPartitions()
      await Promise.all(replicas.map((replica) => replica.keep()))
    }
    try {
      for (let round = 1; round <= 6; round += 1) {
        const before = await keyIn(SigningKeyState.ACTIVE)
        system.clock.advance(90 * DAY - LEAD)
        await atOnce()
        const { kid } = await keyIn(SigningKeyState.PREPARED)
        system.clock.advance(LEAD)
        await atOnce()
        expect((await keyIn(SigningKeyState.ACTIVE)).kid).toBe(kid)
        const actions = async (of: string) => (await installationEvents(system, of)).map(({ action }) => action)
        expect(await actions(kid)).toEqual(['PrepareSigningKey', 'ActivateSigningKey'])
        expect((await actions(before.kid)).filter((action) => action === 'RetireSigningKey')).toHaveLength(1)
      }
    } finally {
      await Promise.all(replicas.map((replica) => replica.close()))
    }
  })

  it('is kept by whole services: two that start when a key is due have one sign', async () => {
    await lookedAt()
    system.clock.advance(90 * DAY)
    await Promise.all([lookedAt(), lookedAt()])
    system.clock.advance(LEAD)
    await Promise.all([lookedAt(), lookedAt()])
    const { kid } = await keyIn(SigningKeyState.ACTIVE)
    expect((await installationEvents(system, kid)).map(({ action }) => action)).toEqual(['PrepareSigningKey', 'ActivateSigningKey'])
  })

  it('removes a retired key when its last token has expired, and not before', async () => {
    const { kid } = await keyIn(SigningKeyState.ACTIVE)
    await rotate(true)
    system.clock.advance(CEILING_SECONDS * SECOND)
    await lookedAt()
    expect(kidsIn(await withReplica(({ calls }) => published(calls)))).toContain(kid)
    system.clock.advance(HOUR + SECOND)
    await lookedAt()
    expect((await keys()).map((key) => key.kid)).not.toContain(kid)
    expect(kidsIn(await withReplica(({ calls }) => published(calls)))).not.toContain(kid)
    expect((await installationEvents(system, kid)).at(-1)?.action).toBe('RemoveSigningKey')
  })

  it('is none where SIGNING_KEY_ROTATION_DAYS is 0', async () => {
    await lookedAt()
    const before = await keyIn(SigningKeyState.ACTIVE)
    system.clock.advance(80 * DAY)
    await lookedAt({ SIGNING_KEY_ROTATION_DAYS: '0' })
    system.clock.advance(80 * DAY)
    await lookedAt({ SIGNING_KEY_ROTATION_DAYS: '0' })
    expect(await keyIn(SigningKeyState.ACTIVE)).toEqual(before)
  })

  it('heals a table that was emptied', async () => {
    await withClient(system.databases.superuserUrl, (client) => client.query('delete from exchange.signing_key'))
    await lookedAt()
    expect(await isAllowed(await login())).toBe(true)
  })
})

describe('RevokeSigningKey', () => {
  it('refuses the key that signs, one that is not there, and what is no key', async () => {
    const { kid } = await keyIn(SigningKeyState.ACTIVE)
    const revoke = (text: string) => operator(Internal.revokeSigningKey, { kid: text })
    await expect(revoke(kid)).rejects.toMatchObject({ kind: 'FAILED_PRECONDITION', reason: 'SIGNING_KEY_ACTIVE', metadata: { kid } })
    await expect(revoke('k'.repeat(43))).rejects.toMatchObject({ kind: 'NOT_FOUND', reason: 'SIGNING_KEY_NOT_FOUND' })
    await expect(revoke('k'.repeat(42))).rejects.toMatchObject(invalid('kid'))
  })

  it('takes a key that was prepared, which then never signs', async () => {
    const { key } = await rotate()
    await operator(Internal.revokeSigningKey, { kid: key?.kid ?? '' })
    system.clock.advance(LEAD)
    await lookedAt()
    expect(await keyIn(SigningKeyState.ACTIVE)).not.toMatchObject({ kid: key?.kid })
    expect(kidsIn(await published())).not.toContain(key?.kid)
  })
})

describe('signing keys', () => {
  it('are for nobody who may not ask about every organization', async () => {
    await withReplica(async ({ internalAddress }) => {
      const confined = callsTo(internalAddress, asService('confined', CALLER_SECRET))
      try {
        const refused = { kind: 'PERMISSION_DENIED', reason: 'SERVICE_NOT_ALLOWED' }
        await expect(confined(Internal.listSigningKeys, {})).rejects.toMatchObject(refused)
        await expect(confined(Internal.rotateSigningKey, { atOnce: true })).rejects.toMatchObject(refused)
        await expect(confined(Internal.revokeSigningKey, { kid: (await keyIn(SigningKeyState.ACTIVE)).kid })).rejects.toMatchObject(refused)
      } finally {
        confined.close()
      }
    }, { INTERNAL_CALLERS: internalCallersOf([{ name: 'confined', organizations: [system.admin.organizationId] }]) })
  })
})

