import { LRUCache } from 'lru-cache'
import type { Proven } from '../../ports.js'
import type { ClientAndSecret, SecretOfClient } from '../../store/client-secrets.js'

/** Some 20 MB. */
const MOST = 10_000

/** A secret as it was read when it was last good for a login, from where it is one, and what it proves. */
export type RememberedSecret = { readonly secret: SecretOfClient; readonly isTrusted: (address: string | undefined) => boolean; readonly proven: Proven }

export type RememberedSecrets = {
  get(which: ClientAndSecret): RememberedSecret | undefined
  keep(which: ClientAndSecret, secret: RememberedSecret): void
  forget(which: ClientAndSecret): void
}

/**
 * Nobody fills it without a good secret, and it answers nothing by itself: whoever uses it has what it says tested where the
 * login is recorded.
 */
export function rememberedSecrets(): RememberedSecrets {
  const secrets = new LRUCache<string, RememberedSecret>({ max: MOST })
  return {
    get: (which) => secrets.get(keyOf(which)),
    keep: (which, secret) => void secrets.set(keyOf(which), secret),
    forget: (which) => void secrets.delete(keyOf(which)),
  }
}

const keyOf = ({ clientId, id }: ClientAndSecret): string => `${clientId} ${id}`
