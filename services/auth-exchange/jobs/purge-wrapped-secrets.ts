import type { Clock } from '#libs/clock.js'
import type { Db } from '../store/schema.js'
import { deleteWrappedSecrets } from '../store/wrapped-secrets.js'

export const PURGE_WRAPPED_SECRETS_EVERY_MILLIS = 600_000

/** So that a token that was used is known again, and audited, for a day after it could have been used. */
const KEEP_MILLIS = 86_400_000

const BATCH = 1_000

/** Deletes wrapped secrets that nobody can unwrap any more, in batches, so that no statement holds many rows for long. */
export function purgeWrappedSecrets(db: Db, clock: Clock): () => Promise<void> {
  return async () => {
    const expiredBefore = new Date(clock.now().getTime() - KEEP_MILLIS)
    while ((await deleteWrappedSecrets(db, expiredBefore, BATCH)) === BATCH);
  }
}
