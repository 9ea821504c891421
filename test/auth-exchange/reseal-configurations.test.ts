import { randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withClient } from '../../deploy/local/service-databases.js'
import { resealConfigurations } from '../../services/auth-exchange/jobs/reseal-configurations.js'
import { configurationSeal } from '../../services/auth-exchange/signing/sealed-configuration.js'
import { keyEncryptionKey } from '../../services/auth-exchange/signing/sealed-key.js'
import { findMethodCredential } from '../../services/auth-exchange/store/method-credentials.js'
import type { ExchangeSchema } from '../../services/auth-exchange/store/schema.js'
import { heldTransaction } from '../faults/held-transaction.js'
import { type ApiServer, startApiServer } from '../support/api-server.js'
import { clusterOf, makeAttached } from '../support/assertion-methods.js'
import { freshNames } from '../support/builders.js'
import { scratchDirectory, type ScratchDirectory } from '../support/scratch-directory.js'
import { exchangeDatabase } from '../support/exchange-database.js'
import { type Session, startSystem, type System } from '../support/system.js'

let scratch: ScratchDirectory
let cluster: ApiServer
let system: System
let admin: Session
let db: Kysely<ExchangeSchema>

beforeAll(async () => {
  scratch = await scratchDirectory()
  cluster = await startApiServer(scratch.path, 'cluster')
  system = await startSystem()
  admin = await system.session(system.admin)
  db = exchangeDatabase(system, 2)
})
afterAll(async () => {
  await db.destroy()
  await system.close()
  await cluster.close()
  await scratch.remove()
})

const next = freshNames('pod')
const [earlier, current] = [keyEncryptionKey(randomBytes(32)), keyEncryptionKey(randomBytes(32))]
const reseal = () => resealConfigurations(db, configurationSeal([current, earlier]))()

/** A method whose secret is encrypted under the earlier key. */
async function sealedUnderEarlier(secret: string) {
  const { identityId } = await makeAttached(admin, next(), clusterOf(cluster, { reviewerToken: cluster.tokenOf({ namespace: 'a', name: 'b', uid: 'c', audiences: [] }) }))
  const key = { identityId, method: 'kubernetes-auth' }
  const { id = '' } = (await findMethodCredential(db, key)) ?? {}
  await db.updateTable('authMethod').set(configurationSeal([earlier]).seal(id, secret)).where('identityId', '=', identityId).execute()
  return key
}

async function opened(key: { readonly identityId: string; readonly method: string }) {
  const found = await findMethodCredential(db, key)
  if (!found) throw new Error('the method is not there')
  return { keyId: found.keyEncryptionKeyId, secret: configurationSeal([current, earlier]).open(found) }
}

describe('what is secret in an auth method', () => {
  it('is encrypted anew under the current key, and is what it was', async () => {
    const key = await sealedUnderEarlier('a reviewer')
    expect(await opened(key)).toEqual({ keyId: earlier.id, secret: 'a reviewer' })
    await reseal()
    expect(await opened(key)).toEqual({ keyId: current.id, secret: 'a reviewer' })
  })

  it('stays as it is where there is no earlier key, or another', async () => {
    const key = await sealedUnderEarlier('another reviewer')
    for (const keys of [[current], [current, keyEncryptionKey(randomBytes(32))]] as const) await resealConfigurations(db, configurationSeal(keys))()
    expect(await opened(key)).toEqual({ keyId: earlier.id, secret: 'another reviewer' })
  })

  // An operator's new secret would be lost to the one before. Seen to fail without the etag.
  it('is not put back over what somebody changes meanwhile', async () => {
    const key = await sealedUnderEarlier('the old one')
    const { id = '' } = (await findMethodCredential(db, key)) ?? {}
    const { sealedConfiguration, keyEncryptionKeyId } = configurationSeal([earlier]).seal(id, 'the new one')
    await heldTransaction(system.databases.superuserUrl, async (held) => {
      const text = 'update exchange.auth_method set sealed_configuration = $1, key_encryption_key_id = $2, etag = gen_random_uuid() where id = $3'
      await held.run(text, [sealedConfiguration, keyEncryptionKeyId, id])
      const resealing = reseal()
      await held.awaited()
      await held.commit()
      await resealing
    })
    expect((await opened(key)).secret).toBe('the new one')
    await reseal()
    expect(await opened(key)).toEqual({ keyId: current.id, secret: 'the new one' })
    expect(await withClient(system.databases.superuserUrl, async (client) => (await client.query("select 1 from exchange.auth_method where key_encryption_key_id = $1 and identity_id = $2", [earlier.id, key.identityId])).rowCount)).toBe(0)
  })
})
