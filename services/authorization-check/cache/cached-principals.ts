import { entryCache } from '#libs/freshness/entry-cache.js'
import { readThrough } from '#libs/freshness/read-through.js'
import type { PrincipalFacts } from '../domain/grants.js'
import type { PresentedPrincipal, PrincipalReader } from '../ports.js'
import type { Layers } from './cached-tokens.js'

/** Whom names in certificates stand for. Strangers can show any number of names: those that are nobody's are on one account. */
export function cachedPrincipals({ feed, maxBytes, ask, found }: Omit<Layers<PresentedPrincipal, PrincipalFacts>, 'shared'>): PrincipalReader {
  return readThrough({
    feed,
    memory: entryCache(maxBytes),
    shared: undefined,
    ask,
    nameOf: ({ organizationId, digest }) => `${organizationId}:${digest}`,
    costOf: ({ organizationId }, { mapped }) => ({ account: mapped?.identityId ?? organizationId, bytes: 300 }),
    on: { found },
  })
}
