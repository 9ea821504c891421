import { activeTokenFrom, activeTokenKey, activeTokenText, kidIn } from '#libs/active-token.js'
import { dependencies } from '#libs/freshness/entities.js'
import { entryCache } from '#libs/freshness/entry-cache.js'
import { type Place, readThrough } from '#libs/freshness/read-through.js'
import type { Follower } from '#libs/freshness/follower.js'
import type { Outgoing } from '#libs/rpc/client.js'
import type { Entry } from '#libs/freshness/stamp.js'
import { EVERYWHERE, trustedSourceOf } from '#libs/rules/trusted-source.js'
import type { TokenFacts } from '../domain/grants.js'
import type { PresentedToken, TokenReader } from '../ports.js'
import { sharedEntries, type SharedStore } from './shared-entries.js'

export type Layers<Key, Value> = {
  readonly feed: Follower
  readonly maxBytes: number
  readonly shared: SharedStore | undefined
  readonly ask: (key: Key, outgoing: Outgoing) => Promise<Entry<Value>>
  readonly found: (place: Place) => void
}

const BYTES_OF_RANGE = 500

/** Verified tokens, each known by the digest of its text: an equal digest stands for the signature. */
export function cachedTokens({ feed, maxBytes, shared, ask, found }: Layers<PresentedToken, TokenFacts>): TokenReader {
  return readThrough({
    feed,
    memory: entryCache(maxBytes),
    shared: shared && sharedEntries(shared, {
      keyOf: ({ claimed }) => claimed && activeTokenKey(claimed.tokenId),
      write: (facts, { digest }) => activeTokenText({ ...facts, trustedIps: facts.trusted?.cidrs ?? EVERYWHERE, digest }),
      read: (record, { digest }) => {
        const token = activeTokenFrom(record)
        // Another text of the same lineage proves nothing about this one: its signature is verified by the owner.
        // eslint-disable-next-line no-restricted-syntax -- How far two hashes agree tells nothing of the text that one is of.
        return token?.digest === digest ? { ...token, trusted: trustedSourceOf(token.trustedIps), revoked: false } : undefined
      },
      dependenciesOf: ({ text }, facts) => dependencies.accessToken({ ...facts, kid: kidIn(text) }),
      isKept: (facts) => !facts.revoked,
    }),
    ask,
    nameOf: ({ digest }) => digest,
    costOf: (_key, { identityId, authClaims, trusted }) => ({ account: identityId, bytes: 400 + (authClaims ? bytesOf(authClaims) : 0) + (trusted?.cidrs.length ?? 0) * BYTES_OF_RANGE }),
    on: { found },
  })
}

const bytesOf = (claims: ReadonlyMap<string, string>): number => [...claims].reduce((bytes, [name, value]) => bytes + 2 * (name.length + value.length) + 100, 200)
