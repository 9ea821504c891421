import { claimedIn, tokenDigest } from '#libs/active-token.js'
import type { Moment } from '#libs/clock.js'
import type { Held } from '#libs/freshness/consistency.js'
import type { Follower } from '#libs/freshness/follow.js'
import type { Entry } from '#libs/freshness/stamp.js'
import type { Outgoing } from '#libs/rpc/client.js'
import type { Grants, Role, TokenFacts } from '../domain/grants.js'
import { accessTokenRejected } from '../domain/refusals.js'
import type { GrantReader, PresentedToken, RoleReader, TokenReader } from '../ports.js'

export type Feeds = { readonly registry: Follower; readonly exchange: Follower }

/** Whose token, in which scope, and whose tokens the asking side may know of. */
export type Subject = { readonly token: PresentedToken; readonly projectId: string | undefined; readonly mayAskAbout: (organizationId: string) => boolean }

/** What a decision rests on. */
export type Gathered = { readonly token: Entry<TokenFacts>; readonly grants: Entry<Grants>; readonly roles: readonly Entry<Role>[] }

export type Gathering = {
  /** All of it, where all is in memory and may be used in this turn. */
  near(subject: Subject): Gathered | undefined
  /** Reads what is not. Each part may be used when it was read; what is awaited after it makes it older. */
  read(subject: Subject, outgoing: Outgoing): Promise<Gathered>
  /** Whether what was known once is enough to refuse: revoked, expired and deleted never change back. */
  isOverForEver(subject: Subject, at: Moment): boolean
}

type Outside = { readonly tokens: TokenReader; readonly grants: GrantReader; readonly roles: RoleReader; readonly feeds: Feeds }

export function gathering({ tokens, grants, roles, feeds }: Outside): Gathering {
  // The shared store is asked for both at once: a token says whose it is. What it says is believed once the token is.
  const tokenAndGrants = async (presented: PresentedToken, projectId: string | undefined, outgoing: Outgoing) => {
    const claimed = claimedIn(presented.text)
    const reading = tokens.read({ ...presented, claimed }, outgoing)
    const expected = claimed && grants.expect({ ...claimed, projectId })
    const token = await reading
    const isAsClaimed = token.value.identityId === claimed?.identityId && token.value.organizationId === claimed.organizationId
    return { token, expected: isAsClaimed ? expected : undefined }
  }
  const rolesOf = (organizationId: string, held: Grants) => held.grants.map(({ roleId }) => ({ organizationId, roleId }))
  return {
    near: ({ token: presented, projectId, mayAskAbout }) => {
      const token = tokens.near(presented)
      if (!token) return undefined
      const { organizationId, identityId } = token.value
      if (!mayAskAbout(organizationId)) throw accessTokenRejected()
      const held = grants.near({ organizationId, identityId, projectId })
      if (!held) return undefined
      const all = rolesOf(organizationId, held.value).map((key) => roles.near(key))
      return all.every((role) => role !== undefined) ? { token, grants: held, roles: all } : undefined
    },
    read: async ({ token: presented, projectId, mayAskAbout }, outgoing) => {
      const known = tokens.near(presented)
      const { token, expected } = known ? { token: known } : await tokenAndGrants(presented, projectId, outgoing)
      const { organizationId, identityId } = token.value
      if (!mayAskAbout(organizationId)) throw accessTokenRejected()
      const held = await grants.read({ organizationId, identityId, projectId }, outgoing, expected)
      const keys = rolesOf(organizationId, held.value)
      const all = keys.map((key) => roles.near(key))
      return { token, grants: held, roles: all.every((role) => role !== undefined) ? all : await Promise.all(keys.map((key) => roles.read(key, outgoing))) }
    },
    isOverForEver: ({ token: presented, projectId, mayAskAbout }, at) => {
      const token = tokens.last(presented)?.value
      if (!token || !mayAskAbout(token.organizationId)) return false
      if (token.revoked || token.expireMillis <= feeds.exchange.lease.earliestTime(at)) return true
      return grants.last({ ...token, projectId })?.value.state === 'absent'
    },
  }
}

export const presented = (text: string): PresentedToken => ({ text, digest: tokenDigest(text) })

/** Each part with the feed that says whether it is still true. */
export const heldBy = (feeds: Feeds, { token, grants, roles }: Gathered): Held[] => [
  { feed: feeds.exchange, entry: token },
  { feed: feeds.registry, entry: grants },
  ...roles.map((entry) => ({ feed: feeds.registry, entry })),
]
