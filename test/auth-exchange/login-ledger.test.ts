import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { setImmediate as turn } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import { systemClock } from '#libs/clock.js'
import { createIds } from '#libs/ids.js'
import { withClient } from '../../deploy/local/service-databases.js'
import type { Remembered } from '../../services/auth-exchange/domain/client-secret.js'
import { lifeFrom } from '../../services/auth-exchange/domain/access-token.js'
import { findSecretsOfClients } from '../../services/auth-exchange/store/client-secrets.js'
import { type LoginEntry, loginLedger, recordLogins } from '../../services/auth-exchange/store/login-ledger.js'
import type { ExchangeSchema } from '../../services/auth-exchange/store/schema.js'
import { heldTransaction } from '../faults/held-transaction.js'
import { freshNames, makeWorkload } from '../support/builders.js'
import { exchangeDatabase } from '../support/exchange-database.js'
import { type Session, startSystem, type System } from '../support/system.js'

let system: System
let admin: Session
let db: Kysely<ExchangeSchema>
const ids = createIds(systemClock)
const next = freshNames('workload')
const LATER = Infinity

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  db = exchangeDatabase(system)
})
afterAll(async () => {
  await db.destroy()
  await system.close()
})

type Login = () => LoginEntry

/** Makes logins of a new secret, each verified as it is now. */
async function loginsOf({ useLimit = 0 }: { useLimit?: number } = {}): Promise<{ login: Login; secretId: string; remembered: Remembered }> {
  const workload = await makeWorkload(admin, { name: next(), useLimit })
  const [secret] = await findSecretsOfClients(db, [{ clientId: workload.clientId, id: workload.secretId }])
  if (!secret) throw new Error('the secret is not there')
  const { organizationId, identityId, id: credentialId, epoch: credentialEpoch, methodEpoch, identityEpoch, organizationEpoch } = secret
  const login = () => {
    const now = systemClock.now()
    const life = lifeFrom(now, { accessTokenTtlSeconds: 60, accessTokenMaxTtlSeconds: 60, accessTokenPeriodSeconds: null })
    const epochs = { credentialEpoch, methodEpoch, identityEpoch, organizationEpoch }
    const token = { organizationId, id: ids.next(), identityId, method: 'universal-auth', credentialId, ...epochs, ...life, useLimit: null, revokeTime: null }
    return { token, auditEventId: ids.next(), requestId: 'batch', sourceAddress: '10.1.2.3', now }
  }
  return { login, secretId: workload.secretId, remembered: { methodEtag: secret.methodEtag, signingKid: secret.signingKid } }
}

/** What is on record of these logins: each has a token and an event, or neither. */
async function onRecord(entries: readonly LoginEntry[]): Promise<boolean[]> {
  const query = `select (select count(*) from exchange.access_token where id = $1) as tokens, (select count(*) from exchange.audit_event where id = $2) as events`
  return withClient(system.databases.superuserUrl, async (client) => {
    const found: boolean[] = []
    for (const { token, auditEventId } of entries) {
      const { rows: [row] } = await client.query<{ tokens: string; events: string }>(query, [token.id, auditEventId])
      expect(row?.tokens).toBe(row?.events)
      found.push(row?.tokens === '1')
    }
    return found
  })
}

const usesOf = async (secretId: string): Promise<unknown> => {
  const text = 'select uses, last_used_address as from from exchange.client_secret where id = $1'
  return (await withClient(system.databases.superuserUrl, (client) => client.query<Record<string, unknown>>(text, [secretId]))).rows[0]
}

/** Which of them were. */
const recorded = async (entries: readonly LoginEntry[]): Promise<boolean[]> => (await recordLogins(db, entries)).map((stamp) => stamp !== null)

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)

describe('a batch of logins', () => {
  // One UPDATE changes a row once, however many rows are joined to it: so many tokens and fewer uses. Seen to fail without the
  // turns.
  it.each([[1, 5], [2, 5], [7, 5], [5, 5], [0, 5]])('of one secret that has %i uses, five at once', async (useLimit, count) => {
    const { login, secretId } = await loginsOf({ useLimit })
    const entries = times(count, login)
    const expected = entries.map((_entry, place) => useLimit === 0 || place < useLimit)
    expect(await recorded(entries)).toEqual(expected)
    expect(await onRecord(entries)).toEqual(expected)
    expect(await usesOf(secretId)).toEqual({ uses: expected.filter(Boolean).length, from: '10.1.2.3' })
    expect(await recorded([login()])).toEqual([useLimit === 0 || useLimit > count])
  })

  it('refuses those whose secret is no more what it was, and no others', async () => {
    const [good, limited, revoked, expired, voided] = [await loginsOf(), await loginsOf({ useLimit: 2 }), await loginsOf(), await loginsOf(), await loginsOf()]
    await withClient(system.databases.superuserUrl, async (client) => {
      await client.query('update exchange.client_secret set revoke_time = now() where id = $1', [revoked.secretId])
      await client.query("update exchange.client_secret set expire_time = now() - interval '1 second' where id = $1", [expired.secretId])
      await client.query('update exchange.client_secret set epoch = gen_random_uuid() where id = $1', [voided.secretId])
    })
    const entries = [voided, limited, good, revoked, limited, expired, limited, good].map(({ login }) => login())
    const expected = [false, true, true, false, true, false, false, true]
    expect(await recorded(entries)).toEqual(expected)
    expect(await onRecord(entries)).toEqual(expected)
  })

  // The row that it waited for is not the one that it saw first. Seen to fail without FOR UPDATE.
  it('judges a secret that another one was spending meanwhile by what that one left', async () => {
    const { login, secretId } = await loginsOf({ useLimit: 7 })
    const entries = times(5, login)
    const outcome = await heldTransaction(system.databases.superuserUrl, async (held) => {
      await held.run('update exchange.client_secret set uses = uses + 4 where id = $1', [secretId])
      const recording = recorded(entries)
      await held.awaited()
      await held.commit()
      return recording
    })
    expect(outcome).toEqual([true, true, true, false, false])
    expect(await onRecord(entries)).toEqual(outcome)
    expect(await usesOf(secretId)).toMatchObject({ uses: 7 })
  })

  // Two batches that lock the same rows in opposite order wait for each other. Seen to fail without the order.
  it('never waits for another that has the same secrets in another order', async () => {
    const secrets = await Promise.all(times(8, () => loginsOf()))
    const forth = () => secrets.map(({ login }) => login())
    const back = () => forth().reverse()
    const outcomes = await Promise.all(times(100, () => [recorded(forth()), recorded(back())]).flat())
    expect(outcomes.flat().every(Boolean)).toBe(true)
    for (const { secretId } of secrets) expect(await usesOf(secretId)).toMatchObject({ uses: 200 })
  })
})

describe('the ledger', () => {
  it('commits a login that is alone at once, and those that come meanwhile together', async () => {
    const { login, secretId } = await loginsOf()
    const ledger = loginLedger(db)
    const commits = () => withClient(system.databases.superuserUrl, (client) => client.query<{ at: string }>("select distinct xmin::text as at from exchange.access_token where credential_id = $1", [secretId]))
    const first = ledger.record(login(), LATER)
    await turn()
    const outcomes = await Promise.all([first, ...times(39, () => ledger.record(login(), LATER))])
    expect(outcomes).not.toContain(null)
    // The first by itself, and all others after it.
    expect((await commits()).rows).toHaveLength(2)
  })

  // Seen to fail with both kinds in one batch, where one of the two groups of the secret was counted and the other refused.
  it('records all that come at once, by what was read and by what is remembered of one secret', async () => {
    const { login, secretId, remembered } = await loginsOf()
    const ledger = loginLedger(db)
    const entries = times(40, login).map((entry, place) => (place % 2 === 0 ? entry : { ...entry, remembered }))
    const stamps = await Promise.all(entries.map((entry) => ledger.record(entry, LATER)))
    expect(stamps).not.toContain(null)
    expect(await usesOf(secretId)).toMatchObject({ uses: 40 })
  })

  it('refuses those by what was remembered of another method than it is now, or for a key that signs no more, and no others', async () => {
    const { login, remembered } = await loginsOf()
    const ledger = loginLedger(db)
    const kinds = [remembered, { ...remembered, methodEtag: ids.next() }, { ...remembered, signingKid: 'another' }]
    const entries = times(9, login).map((entry, place) => ({ ...entry, remembered: kinds[place % kinds.length] }))
    const stamps = await Promise.all(entries.map((entry) => ledger.record(entry, LATER)))
    expect(stamps.map((stamp) => stamp !== null)).toEqual(entries.map((_entry, place) => place % kinds.length === 0))
  })
})
