import type { Moment } from '#libs/clock.js'
import type { Consistency, Demand, Demands } from '#libs/freshness/consistency.js'
import type { Follower } from '#libs/freshness/follower.js'
import { changesTooFast } from '#libs/freshness/read-through.js'
import type { Outgoing } from '#libs/rpc/client.js'
import type { Evidence, TimeBetween } from '../domain/decide.js'
import type { Grants } from '../domain/grants.js'
import { accessTokenRejected } from '../domain/refusals.js'
import { type Feeds, type Gathered, type Gathering, heldBy, type Subject } from './gather.js'

/** About whom, and how fresh. */
export type About = Subject & { readonly consistency: Consistency }

/**
 * Gathers what a decision rests on and has it judged in the same synchronous turn in which all of it was found to be true:
 * at once, where all of it is in memory.
 */
export type Judge = <T>(about: About, outgoing: Outgoing, judge: (evidence: Evidence) => T | Promise<T>) => T | Promise<T>

type Outside = { readonly gather: Gathering; readonly feeds: Feeds; readonly demands: Demands; readonly now: () => Moment }

/** What was true when it was read may have changed while the rest was awaited: then all is gathered again. */
const ATTEMPTS = 20

export function judgeBy({ gather, feeds, demands, now }: Outside): Judge {
  const readAndJudge = async <T>(subject: Subject, { demand, outgoing }: { demand: Demand; outgoing: Outgoing }, judge: (evidence: Evidence) => T | Promise<T>): Promise<T> => {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      if (!demand.isMetBy([], now())) await demand.meet()
      const gathered = await gather.read(subject, outgoing)
      const at = now()
      if (demand.isMetBy(heldBy(feeds, gathered), at)) return judge(evidenceFrom(gathered, feeds, at))
    }
    throw changesTooFast()
  }
  return (about, outgoing, judge) => {
    const demand = demands.demand(about.consistency)
    const at = now()
    if (demand.isMetBy([], at)) {
      const gathered = gather.near(about)
      if (gathered) return judge(evidenceFrom(gathered, feeds, at))
    } else if (gather.isOverForEver(about, at)) {
      // No pull could change that, so nobody waits for one.
      throw accessTokenRejected()
    }
    return readAndJudge(about, { demand, outgoing }, judge)
  }
}

/** Whoever's credential is good for nothing holds nothing. */
const NOTHING_HELD: Grants = { state: 'absent', identityName: '', grants: [] }

function evidenceFrom({ credential, grants, roles }: Gathered, feeds: Feeds, at: Moment): Evidence {
  return {
    credential: credential.value,
    grants: grants?.value ?? NOTHING_HELD,
    roles: roles.map(({ value }) => value),
    credentialTime: timeOf(feeds.exchange, at),
    grantsTime: timeOf(feeds.registry, at),
  }
}

const timeOf = ({ lease }: Follower, at: Moment): TimeBetween => ({ earliest: lease.earliestTime(at), latest: lease.latestTime(at) })
