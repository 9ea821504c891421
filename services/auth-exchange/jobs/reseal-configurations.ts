import type { ConfigurationSeal } from '../ports.js'
import { listSealedUnder, updateSealed } from '../store/method-credentials.js'
import type { Db } from '../store/schema.js'

export const RESEAL_CONFIGURATIONS_EVERY_MILLIS = 600_000

const BATCH = 100

/** Encrypts anew under the current KEY_ENCRYPTION_KEY what is secret in auth methods and was encrypted under the earlier one, so that this can be dropped. */
export function resealConfigurations(db: Db, seal: ConfigurationSeal): () => Promise<void> {
  return async () => {
    if (seal.earlierIds.length === 0) return
    for (;;) {
      const sealed = await listSealedUnder(db, seal.earlierIds, BATCH)
      for (const one of sealed) {
        const text = seal.open(one)
        if (text !== undefined) await updateSealed(db, one, seal.seal(one.id, text))
      }
      if (sealed.length < BATCH) return
    }
  }
}
