import { LRUCache } from 'lru-cache'
import type { ClientAndSecret, SecretOfClient } from '../../store/client-secrets.js'

/** Some 15 MB. */
const MOST = 10_000

export type RememberedSecrets = {
  get(which: ClientAndSecret): SecretOfClient | undefined
  keep(which: ClientAndSecret, secret: SecretOfClient): void
  forget(which: ClientAndSecret): void
}

/**
 * Secrets as they were read when they were last good for a login. Nobody fills it without one, and it answers nothing by itself:
 * whoever uses it has what it says tested where the login is recorded.
 */
export function rememberedSecrets(): RememberedSecrets {
  const secrets = new LRUCache<string, SecretOfClient>({ max: MOST })
  return {
    get: (which) => secrets.get(keyOf(which)),
    keep: (which, secret) => void secrets.set(keyOf(which), secret),
    forget: (which) => void secrets.delete(keyOf(which)),
  }
}

const keyOf = ({ clientId, id }: ClientAndSecret): string => `${clientId} ${id}`
