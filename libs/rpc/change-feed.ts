import type { PullServer } from '../freshness/serve.js'
import type { Durability, Pulled, Stamp } from '../freshness/stamp.js'
import { monotonicMillis } from '../clock.js'
import { Violations } from '../domain-error.js'
import { integer } from '../fields.js'
import { randomHex } from '../random-hex.js'
import {
  ChangeFeedServiceService,
  type ChangeFeedServiceServer,
  Durability as DurabilityMessage,
  type PullChangesRequest,
  PullChangesResponse,
  type Stamp as StampMessage,
} from '../wire/gen/countersign/feed/v1/change_feed.js'
import type { RpcClient } from './client.js'
import type { InternalAdapter, InternalUnary } from './service-credential.js'
import { whenAnswered } from './unary.js'

// PullChanges, both ends: registry and exchange answer it alike, and whoever keeps copies of what they say asks alike.

const durabilities: Record<Durability, DurabilityMessage> = {
  none: DurabilityMessage.NONE,
  local: DurabilityMessage.LOCAL,
  replicated: DurabilityMessage.REPLICATED,
}

export const changeFeedService = (internal: InternalAdapter, pulls: PullServer): ChangeFeedServiceServer => ({
  pullChanges: internal(pullChanges(pulls), whenAnswered),
})

function pullChanges(pulls: PullServer): InternalUnary<PullChangesRequest, PullChangesResponse> {
  return async ({ epoch, after }, _call, caller) => {
    const wrong = new Violations()
    const seq = integer(after, { min: 0, max: Number.MAX_SAFE_INTEGER }, wrong.at('after'))
    if (!/^[0-9a-f]{0,16}$/.test(epoch)) wrong.at('epoch')('must be as it was answered, or empty')
    wrong.refuse()
    const { changes, promised, ...answer } = await pulls({ epoch, seq })
    return PullChangesResponse.fromPartial({
      ...answer,
      keptBoundMillis: promised.keptBoundMillis,
      durability: durabilities[promised.durability],
      changes: changes.map((change) => (caller.mayAskAbout(change.organizationId) ? { ...change, entities: [...change.entities] } : { seq: change.seq })),
    })
  }
}

const names = new Map<DurabilityMessage, Durability>([
  [DurabilityMessage.NONE, 'none'],
  [DurabilityMessage.LOCAL, 'local'],
  [DurabilityMessage.REPLICATED, 'replicated'],
])

/** Asks an owner for its changes after a position. */
export function remoteFeed(owner: RpcClient): (after: Stamp, withinMillis: number) => Promise<Pulled> {
  return async ({ epoch, seq: after }, withinMillis) => {
    const outgoing = { deadline: monotonicMillis() + withinMillis, trace: newTrace() }
    const { databaseTime, durability, keptBoundMillis, ...pulled } = await owner.unary(ChangeFeedServiceService.pullChanges, { epoch, after }, outgoing)
    if (!databaseTime) throw new Error('an owner answered a pull without its time')
    return { ...pulled, databaseTime, promised: { durability: names.get(durability) ?? 'none', keptBoundMillis } }
  }
}

/** Nobody's call asks for a pull: it begins a trace of its own. */
function newTrace() {
  const traceId = randomHex(16)
  return { requestId: traceId, traceId, spanId: randomHex(8), parentSpanId: undefined, flags: '00' }
}

/** The position that came with an answer; an answer without one can't be kept. */
export function stampFrom(message: StampMessage | undefined): Stamp {
  if (!message) throw new Error('an owner answered without the position of its feed')
  return { epoch: message.epoch, seq: message.seq }
}
