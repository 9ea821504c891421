import type { Db } from '../store/schema.js'
import { listKeys, type NewKey, type ResealedKey, type StoredKey } from '../store/signing-keys.js'
import type { KeyEncryptionKeys } from './sealed-key.js'
import { spaced } from './spaced.js'
import { type Kept, newKey, resealed, type SigningKey, signingKey, type VerificationKey, verificationKey } from './stored-key.js'

export type Keyring = {
  /** Loads what is stored now; fails where a key that signs, or will, can't be decrypted. */
  reload(): Promise<void>
  /** As of the latest load. */
  stored(): readonly StoredKey[]
  /** The key that the database said signs (null: that none does), or the one that has come after it. */
  signing(kid: string | null): Promise<SigningKey>
  /** Of the key that signs; nothing before the keys are loaded. */
  createTime(): Date | undefined
  verification(): readonly VerificationKey[]
  /** The key whose tokens begin with this header segment. For an unknown one the keys are loaded again: it may be new. */
  byHeaderSegment(segment: string): Promise<VerificationKey | undefined>
  newKey(kept: Kept): Promise<NewKey>
  /** The key under the current KEY_ENCRYPTION_KEY; undefined where it is. */
  resealed(stored: StoredKey): ResealedKey | undefined
}

/** Whoever sends tokens of keys that never were must not keep the database busy. */
const RELOAD_EVERY_MILLIS = 100

export function keyring({ db, encryptions }: { readonly db: Db; readonly encryptions: KeyEncryptionKeys }): Keyring {
  let stored: readonly StoredKey[] = []
  let verification = new Map<string, VerificationKey>()
  // What a kid stands for never changes, under whichever key it is encrypted.
  const [publicHalves, privateHalves] = [new Map<string, VerificationKey>(), new Map<string, SigningKey>()]
  const load = spaced(RELOAD_EVERY_MILLIS, async () => {
    const listed = await listKeys(db)
    const loaded = await Promise.all(listed.map(async (key) => publicHalves.get(key.kid) ?? verificationKey(key)))
    publicHalves.clear()
    for (const key of loaded) publicHalves.set(key.kid, key)
    verification = new Map(loaded.map((key) => [key.headerSegment, key]))
    stored = listed
    const signing = new Set(listed.filter(({ state }) => state !== 'retired').map(({ kid }) => kid))
    for (const kid of privateHalves.keys()) if (!signing.has(kid)) privateHalves.delete(kid)
  })
  const activeKey = () => stored.find(({ state }) => state === 'active')
  const signingKeyOf = (key: StoredKey): SigningKey => {
    const known = privateHalves.get(key.kid)
    if (known) return known
    const unsealed = signingKey(key, encryptions)
    privateHalves.set(key.kid, unsealed)
    return unsealed
  }
  return {
    reload: async () => {
      await load()
      for (const key of stored) if (key.state !== 'retired') signingKeyOf(key)
    },
    stored: () => stored,
    signing: async (kid) => {
      const known = kid === null ? undefined : privateHalves.get(kid)
      if (known) return known
      await load()
      const active = activeKey()
      if (!active) throw new Error('there is no active signing key')
      return signingKeyOf(active)
    },
    createTime: () => activeKey()?.createTime,
    verification: () => [...verification.values()],
    byHeaderSegment: async (segment) => {
      const known = verification.get(segment)
      if (known) return known
      await load()
      return verification.get(segment)
    },
    newKey: (kept) => newKey(encryptions, kept),
    resealed: (key) => resealed(key, encryptions),
  }
}
