import { setTimeout as sleep } from 'node:timers/promises'
import { Violations } from '#libs/domain-error.js'
import { type Demands, revisionAhead } from '#libs/freshness/consistency.js'
import { DURABILITIES, type Durability } from '#libs/freshness/stamp.js'
import type { Unary } from '#libs/rpc/unary.js'
import {
  Durability as DurabilityMessage,
  type WaitForRevisionRequest,
  type WaitForRevisionResponse,
} from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import type { AskerOf } from './caller.js'
import { shortRevisionFrom } from './consistency-message.js'
import type { Feeds } from './gather.js'

type Outside = { readonly feeds: Feeds; readonly demands: Demands; readonly asker: AskerOf }

/** A timer may fire a part of a millisecond early. */
const TIMER_MILLIS = 1

const durabilities: Record<Durability, DurabilityMessage> = {
  none: DurabilityMessage.NONE,
  local: DurabilityMessage.LOCAL,
  replicated: DurabilityMessage.REPLICATED,
}

export function waitForRevision({ feeds, demands, asker }: Outside): Unary<WaitForRevisionRequest, WaitForRevisionResponse> {
  return async (request, call) => {
    const wrong = new Violations()
    const revision = shortRevisionFrom(request.revision, wrong.at('revision'))
    wrong.refuse()
    await asker(call)
    // Pulled from the primaries after this call arrived, so that what is committed stays so.
    await demands.demand({ level: 'full' }).meet()
    await demands.demand({ level: 'at-least', revision }).meet()
    // A check may fall back to everything that is committed; a receipt is for this revision or for none.
    if (revision.some(({ feed, epoch }) => feeds[feed].position.epoch !== epoch)) throw revisionAhead(request.revision)
    const promised = revision.map(({ feed }) => feeds[feed].promised)
    // By then every replica has pulled after the commit, or answers nothing.
    await sleep(Math.max(...promised.map(({ keptBoundMillis }) => keptBoundMillis)) + TIMER_MILLIS)
    const weakest = DURABILITIES.find((one) => promised.some(({ durability }) => durability === one)) ?? 'none'
    return { durability: durabilities[weakest] }
  }
}
