import type { Authorization } from '#libs/authorization.js'
import type { Clock } from '#libs/clock.js'
import type { ChangeFeed } from '#libs/freshness/append.js'
import type { Stamp } from '#libs/freshness/stamp.js'
import type { Ids } from '#libs/ids.js'
import type { Outgoing } from '#libs/rpc/client.js'
import type { AccessTokenRecord, Claims } from './domain/access-token.js'
import type { SecretOwner, Verifiers } from './domain/secret-hash.js'
import type { TokenSettings } from './domain/token-settings.js'
import type { Db, ExchangeSchema, PublicJwk } from './store/schema.js'

/** What a handler needs that reads. */
export type Reading = { readonly db: Db; readonly authorization: Authorization }

/** What a handler needs that writes. */
export type Writing = Reading & { readonly feed: ChangeFeed<ExchangeSchema>; readonly ids: Ids; readonly clock: Clock }

/** What identity-registry says of identities. */
export type IdentityReader = {
  /** Within the staleness bound. */
  stateOf(identity: IdentityKey, outgoing: Outgoing): Promise<IdentityState>
}

/** Whether somebody may make or change credentials of an identity. */
export type Coverage = {
  /** ESCALATION unless it is their own, they hold all that the identity holds, or the action `grant` on the resource. */
  require(caller: IdentityKey, of: { readonly identityId: string; readonly resource: string }, outgoing: Outgoing): Promise<void>
}

export type IdentityKey = { readonly organizationId: string; readonly identityId: string }

/** `absent`: the organization has no such identity, or no longer. */
export type IdentityState = 'active' | 'disabled' | 'absent'

/** Hands what a login or a renewal recorded to those who check tokens; it may be lost, and they ask. */
export type ActiveTokens = { keep(token: IssuedToken): void }

/** A token as it was issued, and where the feed stood when what it rests on was read. */
export type IssuedToken = {
  readonly text: string
  readonly record: AccessTokenRecord
  /** From where the tokens of its method may be used, as of the stamp. */
  readonly trustedIps: readonly string[]
  readonly stamp: Stamp
}

/** Makes and verifies the text of access tokens. */
export type TokenSigner = {
  sign(claims: Claims): Promise<string>
  /** The claims of a token in its one spelling, signed by a key of ours and not expired; a refusal for anything else. */
  verify(text: string): Promise<Claims>
  /** The same for a token that may have expired: what it was good for. */
  verifyExpiredToo(text: string): Promise<Claims>
  publicKeys(): readonly (PublicJwk & { readonly kid: string })[]
}

/** Makes what a new client secret is verified with. */
export type SecretHasher = { verifiersOf(owner: SecretOwner, text: string): Promise<Verifiers> }

/** What a proof proved: who logs in, with what, and what its tokens are given. */
export type Proven = TokenSettings & {
  readonly organizationId: string
  readonly identityId: string
  readonly clientId: string
  readonly method: string
  readonly credentialId: string
  readonly credentialEpoch: string
  readonly methodEpoch: string
  readonly identityEpoch: string | null
  readonly organizationEpoch: string | null
  /** Where the change feed stood when this was read: what the login writes can be no newer. */
  readonly stamp: Stamp
}

/** An auth method: verifies a proof. `refused` learns the true reason, which the caller is never told. */
export type ProofVerifier<Proof> = { verify(proof: Proof, refused: (reason: string) => void): Promise<Proven> }

export type UniversalAuthProof = { readonly clientId: string; readonly clientSecret: string }
