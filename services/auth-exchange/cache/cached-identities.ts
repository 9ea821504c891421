import type { Moment } from '#libs/clock.js'
import { type Demand, demandsOn } from '#libs/freshness/consistency.js'
import { entryCache } from '#libs/freshness/entry-cache.js'
import type { Follower } from '#libs/freshness/follower.js'
import { changesTooFast, readThrough } from '#libs/freshness/read-through.js'
import type { Entry } from '#libs/freshness/stamp.js'
import type { Outgoing } from '#libs/rpc/client.js'
import type { IdentityKey, IdentityReader, IdentityState } from '../ports.js'

/** Room for about twenty thousand identities that log in. */
const MAX_BYTES = 16 * 1024 * 1024

/** A state that changes while it is read is read again. */
const ATTEMPTS = 20

type Outside = {
  readonly feed: Follower
  readonly now: () => Moment
  readonly ask: (key: IdentityKey, outgoing: Outgoing) => Promise<Entry<IdentityState>>
}

/** The states of identities, followed by the registry's feed: a login asks nobody, and sees a disabled identity within the bound. */
export function cachedIdentities({ feed, now, ask }: Outside): IdentityReader {
  const demands = demandsOn([feed], now)
  const reader = readThrough({
    feed,
    memory: entryCache<IdentityState>(MAX_BYTES),
    shared: undefined,
    ask,
    nameOf: ({ organizationId, identityId }: IdentityKey) => `${organizationId}/${identityId}`,
    costOf: ({ identityId }) => ({ account: identityId, bytes: 100 }),
  })
  const read = async (demand: Demand, key: IdentityKey, outgoing: Outgoing): Promise<IdentityState> => {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      await demand.meet()
      const entry = await reader.read(key, outgoing)
      if (demand.isMetBy([{ feed, entry }], now())) return entry.value
    }
    throw changesTooFast()
  }
  return {
    stateOf: (key, outgoing) => {
      const demand = demands.demand({ level: 'bounded' })
      const known = demand.isMetBy([], now()) ? reader.near(key) : undefined
      return known ? known.value : read(demand, key, outgoing)
    },
  }
}
