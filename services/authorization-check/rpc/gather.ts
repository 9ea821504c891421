import { claimedIn, tokenDigest } from '#libs/active-token.js'
import type { Moment } from '#libs/clock.js'
import type { Held } from '#libs/freshness/consistency.js'
import type { Follower } from '#libs/freshness/follower.js'
import type { Entry } from '#libs/freshness/stamp.js'
import type { Outgoing } from '#libs/rpc/client.js'
import { rejected } from '../domain/decide.js'
import type { CredentialFacts, Grants, PrincipalFacts, Role } from '../domain/grants.js'
import type { Credential, GrantReader, PresentedToken, PrincipalReader, RoleReader, TokenReader } from '../ports.js'

export type Feeds = { readonly registry: Follower; readonly exchange: Follower }

/** Whose credential, in which scope, and whose the asking side may know of. */
export type Subject = { readonly credential: Credential; readonly projectId: string | undefined; readonly mayAskAbout: (organizationId: string) => boolean }

/** What a decision rests on. Nothing is held by a credential that is nobody's, or revoked. */
export type Gathered = { readonly credential: Entry<CredentialFacts>; readonly grants: Entry<Grants> | undefined; readonly roles: readonly Entry<Role>[] }

export type Gathering = {
  /** All of it, where all is in memory and may be used in this turn. */
  near(subject: Subject): Gathered | undefined
  /** Reads what is not. Each part may be used when it was read; what is awaited after it makes it older. */
  read(subject: Subject, outgoing: Outgoing): Promise<Gathered>
  /** Whether what was known once is enough to refuse: revoked, expired and deleted never change back. */
  isOverForEver(subject: Subject, at: Moment): boolean
}

type Outside = { readonly tokens: TokenReader; readonly principals: PrincipalReader; readonly grants: GrantReader; readonly roles: RoleReader; readonly feeds: Feeds }

export function gathering({ tokens, principals, grants, roles, feeds }: Outside): Gathering {
  // The shared store is asked for both at once: a token says whose it is. What it says is believed once the token is.
  const tokenAndGrants = async (presented: PresentedToken, projectId: string | undefined, outgoing: Outgoing) => {
    const claimed = claimedIn(presented.text)
    const reading = tokens.read({ ...presented, claimed }, outgoing)
    const expected = claimed && grants.expect({ ...claimed, projectId })
    const credential = await reading
    const isAsClaimed = credential.value.identityId === claimed?.identityId && credential.value.organizationId === claimed.organizationId
    return { credential, expected: isAsClaimed ? expected : undefined }
  }
  const nearCredential = (shown: Credential): Entry<CredentialFacts> | undefined => {
    if (shown.kind === 'token') return tokens.near(shown.token)
    const known = principals.near(shown.principal)
    return known && ofPrincipal(known)
  }
  const readCredential = async (shown: Credential, projectId: string | undefined, outgoing: Outgoing) =>
    shown.kind === 'token' ? tokenAndGrants(shown.token, projectId, outgoing) : { credential: ofPrincipal(await principals.read(shown.principal, outgoing)), expected: undefined }
  const rolesOf = (organizationId: string, held: Grants) => held.grants.map(({ roleId }) => ({ organizationId, roleId }))
  return {
    near: ({ credential: shown, projectId, mayAskAbout }) => {
      const credential = nearCredential(shown)
      if (!credential) return undefined
      const { organizationId, identityId, revoked } = credential.value
      if (!mayAskAbout(organizationId)) throw rejected(credential.value)
      if (revoked) return { credential, grants: undefined, roles: [] }
      const held = grants.near({ organizationId, identityId, projectId })
      if (!held) return undefined
      const all = rolesOf(organizationId, held.value).map((key) => roles.near(key))
      return all.every((role) => role !== undefined) ? { credential, grants: held, roles: all } : undefined
    },
    read: async ({ credential: shown, projectId, mayAskAbout }, outgoing) => {
      const known = nearCredential(shown)
      const { credential, expected } = known ? { credential: known } : await readCredential(shown, projectId, outgoing)
      const { organizationId, identityId, revoked } = credential.value
      if (!mayAskAbout(organizationId)) throw rejected(credential.value)
      if (revoked) return { credential, grants: undefined, roles: [] }
      const held = await grants.read({ organizationId, identityId, projectId }, outgoing, expected)
      const keys = rolesOf(organizationId, held.value)
      const all = keys.map((key) => roles.near(key))
      return { credential, grants: held, roles: all.every((role) => role !== undefined) ? all : await Promise.all(keys.map((key) => roles.read(key, outgoing))) }
    },
    isOverForEver: ({ credential: shown, projectId, mayAskAbout }, at) => {
      // A principal that is gone may be made again, and for somebody else.
      if (shown.kind === 'principal') return false
      const token = tokens.last(shown.token)?.value
      if (!token || !mayAskAbout(token.organizationId)) return false
      if (token.revoked || token.expireMillis <= feeds.exchange.lease.earliestTime(at)) return true
      return grants.last({ ...token, projectId })?.value.state === 'absent'
    },
  }
}

/** It has no end of its own: it counts for as long as it is on record. */
const ofPrincipal = ({ value: { organizationId, mapped }, ...entry }: Entry<PrincipalFacts>): Entry<CredentialFacts> => ({
  ...entry,
  value: { organizationId, identityId: '', ...mapped, tokenId: undefined, method: 'principal', expireMillis: Infinity, revoked: mapped === undefined, useLimited: false, trusted: undefined },
})

export const presented = (text: string): Credential => ({ kind: 'token', token: { text, digest: tokenDigest(text) } })

export const presentedPrincipal = (organizationId: string, name: string): Credential => ({ kind: 'principal', principal: { organizationId, name, digest: tokenDigest(name) } })

/** Each part with the feed that says whether it is still true. */
export const heldBy = (feeds: Feeds, { credential, grants, roles }: Gathered): Held[] => [
  { feed: feeds.exchange, entry: credential },
  ...[...(grants ? [grants] : []), ...roles].map((entry) => ({ feed: feeds.registry, entry })),
]
