import type { Answer, OwnedChange, PullServer } from '../freshness/serve.js'
import type { Durability, Stamp } from '../freshness/stamp.js'
import { Violations } from '../domain-error.js'
import type { FeedName } from '../freshness/entities.js'
import type { PullTerms } from '../freshness/follow.js'
import { integer } from '../fields.js'
import { INSTALLATION } from '../ids.js'
import {
  ChangeFeedServiceService,
  type ChangeFeedServiceServer,
  Durability as DurabilityMessage,
  type PullChangesRequest,
  type PullChangesResponse,
  type Stamp as StampMessage,
} from '../wire/gen/countersign/feed/v1/change_feed.js'
import type { RpcClient } from './client.js'
import type { Answering, LockstepAdapter } from './lockstep.js'
import type { ServiceCaller, ServiceCallers } from './service-credential.js'

// PullChanges, both ends: registry, exchange and relays answer it alike, and whoever keeps copies of what they say asks alike.

const durabilities: Record<Durability, DurabilityMessage> = {
  none: DurabilityMessage.NONE,
  local: DurabilityMessage.LOCAL,
  replicated: DurabilityMessage.REPLICATED,
}

type Served = Readonly<Partial<Record<FeedName, PullServer>>>

type Serving = { readonly lockstep: LockstepAdapter; readonly callers: ServiceCallers; readonly feeds: Served }

export const changeFeedService = ({ lockstep, callers, feeds }: Serving): ChangeFeedServiceServer => ({
  pullChanges: lockstep((call) => pullChanges(feeds, callers.require(call))),
})

function pullChanges(feeds: Served, caller: ServiceCaller): Answering<PullChangesRequest, PullChangesResponse> {
  const served = new Map(Object.entries(feeds))
  const [only] = served.size === 1 ? served.values() : []
  return async ({ epoch, after, current, feed }) => {
    const wrong = new Violations()
    const seq = integer(after, { min: 0, max: Number.MAX_SAFE_INTEGER }, wrong.at('after'))
    if (!/^[0-9a-f]{0,16}$/.test(epoch)) wrong.at('epoch')('must be as it was answered, or empty')
    const pulls = feed === '' ? only : served.get(feed)
    if (!pulls) wrong.at('feed')(`must be ${[...served.keys()].join(' or ')}`)
    wrong.refuse()
    if (!pulls) throw new Error('a feed that is not served was not refused')
    const { changes, promised, ...answer } = await pulls({ epoch, seq, current })
    return {
      ...answer,
      keptBoundMillis: promised.keptBoundMillis,
      durability: durabilities[promised.durability],
      changes: changes.map((change) => (isToldOf(caller, change) ? { ...change, entities: [...change.entities] } : { ...UNNAMED, seq: change.seq })),
    }
  }
}

// What belongs to no organization changes answers about every one.
const isToldOf = (caller: ServiceCaller, { organizationId }: OwnedChange): boolean => organizationId === INSTALLATION || caller.mayAskAbout(organizationId)

const UNNAMED = { organizationId: '', entities: [] }

const names = new Map<DurabilityMessage, Durability>([
  [DurabilityMessage.NONE, 'none'],
  [DurabilityMessage.LOCAL, 'local'],
  [DurabilityMessage.REPLICATED, 'replicated'],
])

/** Asks an owner, or a relay, for the changes of a feed after a position. */
export function remoteFeed(from: RpcClient, feed: FeedName): (after: Stamp, terms: PullTerms) => Promise<Answer> {
  const pulls = from.lockstep(ChangeFeedServiceService.pullChanges)
  return async ({ epoch, seq: after }, { withinMillis, current }) => {
    const { databaseTime, durability, keptBoundMillis, ...pulled } = await pulls.ask({ epoch, after, current, feed }, withinMillis)
    if (!databaseTime) throw new Error('an owner answered a pull without its time')
    return { ...pulled, databaseTime, promised: { durability: names.get(durability) ?? 'none', keptBoundMillis } }
  }
}

/** The position that came with an answer; an answer without one can't be kept. */
export function stampFrom(message: StampMessage | undefined): Stamp {
  if (!message) throw new Error('an owner answered without the position of its feed')
  return { epoch: message.epoch, seq: message.seq }
}
