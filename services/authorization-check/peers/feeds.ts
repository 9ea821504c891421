import type { FeedName } from '#libs/freshness/entities.js'
import type { Pulled, Stamp } from '#libs/freshness/stamp.js'
import { type PulledFromOwner, remoteFeed } from '#libs/rpc/change-feed.js'
import type { RpcClient } from '#libs/rpc/client.js'
import type { Durability, Receipts } from '../ports.js'

const weakestFirst: readonly Durability[] = ['none', 'local', 'replicated']

type Said = Pick<PulledFromOwner, 'durability' | 'keptBoundMillis'>

/** Pulls from the owners, and remembers what each said of its commits. */
export function remoteFeeds(owners: Readonly<Record<FeedName, RpcClient>>) {
  const said = new Map<FeedName, Said>()
  const pullFrom = (name: FeedName) => {
    const pull = remoteFeed(owners[name])
    return async (after: Stamp, withinMillis: number): Promise<Pulled> => {
      const pulled = await pull(after, withinMillis)
      said.set(name, pulled)
      return pulled
    }
  }
  const receipts: Receipts = {
    of: (names) => {
      const all = names.map((name): Said => said.get(name) ?? { durability: 'none', keptBoundMillis: 60_000 })
      return {
        durability: weakestFirst.find((one) => all.some(({ durability }) => durability === one)) ?? 'none',
        boundMillis: Math.max(0, ...all.map(({ keptBoundMillis }) => keptBoundMillis)),
      }
    },
  }
  return { pullFrom, receipts }
}
