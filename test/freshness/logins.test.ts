import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '#libs/clock.js'
import { createIds } from '#libs/ids.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { lifeFrom } from '../../services/auth-exchange/domain/access-token.js'
import { findTokens } from '../../services/auth-exchange/store/access-tokens.js'
import { findSecretsOfClients } from '../../services/auth-exchange/store/client-secrets.js'
import { recordLogins } from '../../services/auth-exchange/store/login-ledger.js'
import { heldTransaction } from '../faults/held-transaction.js'
import { freshNames, makeWorkload } from '../support/builders.js'
import { exchangeDatabase } from '../support/exchange-database.js'
import { BOUNDED, type Session, startSystem, type System } from '../support/system.js'

let system: System
let admin: Session
const ids = createIds(systemClock)
const next = freshNames('workload')

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

const one = async (text: string, values: readonly unknown[] = []): Promise<unknown> => {
  const { rows } = await withClient(system.databases.superuserUrl, (client) => client.query<{ value: unknown }>(text, [...values]))
  return rows[0]?.value
}

describe('a login', () => {
  // Logins are many, and change no answer that was given before. Seen to fail with a login that appends to the feed.
  it('takes no head and appends nothing', async () => {
    const workload = await makeWorkload(admin, { name: next() })
    const feed = () => one("select json_build_array((select seq from exchange.feed_head), (select count(*) from exchange.feed_change), (select seq from registry.feed_head)) as value")
    const before = await feed()
    for (let count = 0; count < 5; count += 1) await system.login(workload)
    expect(await feed()).toEqual(before)
  })

  // What a login hands to those who check is true as of when its secret was verified, and of nothing later: a broad
  // revocation that overtook it must make it stale. Seen to fail with the stamp read when the login was recorded.
  it('hands on nothing that hides a revocation which overtook it', async () => {
    const workload = await makeWorkload(admin, { name: next() })
    const { accessToken } = await heldTransaction(system.databases.superuserUrl, async (held) => {
      await held.run('select from exchange.client_secret where id = $1 for update', [workload.secretId])
      const login = system.login(workload)
      await held.awaited()
      await withClient(system.databases.superuserUrl, (client) =>
        client.query(`
          with voided as (update exchange.universal_auth set epoch = gen_random_uuid() where identity_id = '${workload.identityId}' returning organization_id)
          insert into exchange.feed_change (id, shard, organization_id, entities)
          select '${ids.next()}', 0, organization_id, array['auth-method/${workload.identityId}'] from voided`))
      await held.commit()
      return login
    })
    // Another question makes the replica pull: what it knows now is newer than the revocation.
    await system.check(admin.token, 'read', 'organization')
    await expect(system.check(accessToken, 'read', 'secrets', { consistency: BOUNDED })).rejects.toMatchObject({ kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' })
  })
})

describe('what a login writes', () => {
  // Between the verification of a secret and the statement that records the login lie other waits than for its row. Seen
  // to fail with the epochs taken as they are when it is recorded.
  it.each([
    ['client_secret', 'update exchange.client_secret set epoch = gen_random_uuid() where identity_id = $1'],
    ['universal_auth', 'update exchange.universal_auth set epoch = gen_random_uuid() where identity_id = $1'],
    ['identity_epoch', 'insert into exchange.identity_epoch select organization_id, identity_id, gen_random_uuid() from exchange.universal_auth where identity_id = $1'],
    ['organization_epoch', 'insert into exchange.organization_epoch select organization_id, gen_random_uuid() from exchange.universal_auth where identity_id = $1'],
  ])('carries the epochs as they were verified: a new one of %s in between voids it', async (_table, renewEpoch) => {
    const db = exchangeDatabase(system, 1)
    try {
      const workload = await makeWorkload(await system.session(await system.newOrganization()), { name: next() })
      const [secret] = await findSecretsOfClients(db, [{ clientId: workload.clientId, id: workload.secretId }])
      if (!secret) throw new Error('the secret is not there')
      await one(renewEpoch, [workload.identityId])
      const now = systemClock.now()
      const { organizationId, identityId, id: credentialId, epoch: credentialEpoch, methodEpoch, identityEpoch, organizationEpoch } = secret
      const epochs = { credentialEpoch, methodEpoch, identityEpoch, organizationEpoch }
      const life = lifeFrom(now, { accessTokenTtlSeconds: 60, accessTokenMaxTtlSeconds: 60, accessTokenPeriodSeconds: null })
      const token = { organizationId, id: ids.next(), identityId, method: 'universal-auth', credentialId, ...epochs, ...life, useLimit: null, revokeTime: null }
      const [recorded] = await recordLogins(db, [{ token, auditEventId: ids.next(), requestId: 'late', sourceAddress: null, now }])
      const [standing] = await findTokens(db, [{ ...token, kid: secret.signingKid ?? '' }])
      expect([recorded !== null, standing?.revoked ?? true]).toEqual([false, true])
    } finally {
      await db.destroy()
    }
  })
})

describe('an epoch', () => {
  // A failover takes a revocation back, and the next one must not make the number that the first one made: a token of in
  // between would come to life again. Seen to fail with the same epoch made from the one before.
  it('of a secret is never dealt out twice, whatever the database forgot', async () => {
    const { identityId, secretId } = await makeWorkload(admin, { name: next() })
    const epoch = () => one('select epoch as value from exchange.client_secret where id = $1', [secretId])
    const first = await epoch()
    const seen = [first]
    for (let count = 0; count < 3; count += 1) {
      await admin.exchange(Exchange.revokeClientSecret, { identityId, id: secretId })
      seen.push(await epoch())
      await one('update exchange.client_secret set epoch = $1, revoke_time = null where id = $2 returning id as value', [first, secretId])
    }
    expect(new Set(seen).size).toBe(4)
  })
})
