import { claimedIn, tokenDigest } from '#libs/active-token.js'
import type { Moment } from '#libs/clock.js'
import type { Consistency, Demands } from '#libs/freshness/consistency.js'
import type { Follower } from '#libs/freshness/follow.js'
import { changesTooFast } from '#libs/freshness/read-through.js'
import type { Entry } from '#libs/freshness/stamp.js'
import type { Outgoing } from '#libs/rpc/client.js'
import type { Evidence, TimeBetween } from '../domain/decide.js'
import type { Grants, Role, TokenFacts } from '../domain/grants.js'
import { accessTokenRejected } from '../domain/refusals.js'
import type { GrantReader, PresentedToken, RoleReader, TokenReader } from '../ports.js'

/** Whose token, for which scope, how fresh, and whose tokens the asking side may know of. */
export type About = {
  readonly token: string
  readonly projectId: string | undefined
  readonly consistency: Consistency
  readonly mayAskAbout: (organizationId: string) => boolean
}

/** Gathers what a decision rests on and has it judged in the same synchronous turn in which all of it was found to be true. */
export type Judge = <T>(about: About, outgoing: Outgoing, judge: (evidence: Evidence) => T) => Promise<T>

export type Feeds = { readonly registry: Follower; readonly exchange: Follower }

type Outside = {
  readonly tokens: TokenReader
  readonly grants: GrantReader
  readonly roles: RoleReader
  readonly feeds: Feeds
  readonly demands: Demands
  readonly now: () => Moment
}

type Gathered = { readonly token: Entry<TokenFacts>; readonly grants: Entry<Grants>; readonly roles: readonly Entry<Role>[] }

/** What was true when it was read may have changed while the rest was awaited: then all is gathered again. */
const ATTEMPTS = 20

export function judgeBy({ tokens, grants, roles, feeds, demands, now }: Outside): Judge {
  // The shared store is asked for both at once: a token says whose it is. What it says is believed once the token is.
  const tokenAndGrants = async (presented: PresentedToken, projectId: string | undefined, outgoing: Outgoing) => {
    const claimed = claimedIn(presented.text)
    const reading = tokens.read({ ...presented, claimed }, outgoing)
    const expected = claimed && grants.expect({ ...claimed, projectId })
    const token = await reading
    const isAsClaimed = token.value.identityId === claimed?.identityId && token.value.organizationId === claimed.organizationId
    return { token, expected: isAsClaimed ? expected : undefined }
  }
  const gather = async (presented: PresentedToken, { projectId, mayAskAbout }: About, outgoing: Outgoing): Promise<Gathered> => {
    const known = tokens.near(presented)
    const { token, expected } = known ? { token: known } : await tokenAndGrants(presented, projectId, outgoing)
    const { organizationId, identityId } = token.value
    if (!mayAskAbout(organizationId)) throw accessTokenRejected()
    const holder = { organizationId, identityId, projectId }
    const held = grants.near(holder) ?? (await grants.read(holder, outgoing, expected))
    const keys = held.value.grants.map(({ roleId }) => ({ organizationId, roleId }))
    const knownRoles = keys.map((key) => roles.near(key))
    const all = knownRoles.every((role) => role !== undefined) ? knownRoles : await Promise.all(keys.map((key) => roles.read(key, outgoing)))
    return { token, grants: held, roles: all }
  }
  const entriesOf = ({ token, grants: held, roles: all }: Gathered) => [
    { feed: feeds.exchange, entry: token },
    { feed: feeds.registry, entry: held },
    ...all.map((entry) => ({ feed: feeds.registry, entry })),
  ]
  return async (about, outgoing, judge) => {
    const presented = { text: about.token, digest: tokenDigest(about.token) }
    const demand = demands.demand(about.consistency)
    // What can never change back needs no pull, and is not made to wait for one.
    if (!demand.isMetBy([], now()) && isOverForEver(presented, about, now())) throw accessTokenRejected()
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      await demand.meet()
      const gathered = await gather(presented, about, outgoing)
      const at = now()
      if (demand.isMetBy(entriesOf(gathered), at)) return judge(evidenceFrom(gathered, feeds, at))
    }
    throw changesTooFast()
  }
  /** Whether what was known once is enough to refuse: revoked, expired and deleted never change back. */
  function isOverForEver(presented: PresentedToken, { projectId, mayAskAbout }: About, at: Moment): boolean {
    const token = tokens.last(presented)?.value
    if (!token || !mayAskAbout(token.organizationId)) return false
    if (token.revoked || token.expireMillis <= feeds.exchange.lease.earliestTime(at)) return true
    return grants.last({ ...token, projectId })?.value.state === 'absent'
  }
}

function evidenceFrom({ token, grants, roles }: Gathered, feeds: Feeds, at: Moment): Evidence {
  return {
    token: token.value,
    grants: grants.value,
    roles: roles.map(({ value }) => value),
    tokenTime: timeOf(feeds.exchange, at),
    grantsTime: timeOf(feeds.registry, at),
  }
}

const timeOf = ({ lease }: Follower, at: Moment): TimeBetween => ({ earliest: lease.earliestTime(at), latest: lease.latestTime(at) })
