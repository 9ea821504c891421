import type { Authorization } from '#libs/authorization.js'
import type { Clock } from '#libs/clock.js'
import type { Report } from '#libs/domain-error.js'
import type { ChangeFeed } from '#libs/freshness/append.js'
import type { Stamp } from '#libs/freshness/stamp.js'
import type { Ids } from '#libs/ids.js'
import type { Outgoing } from '#libs/rpc/client.js'
import type { AccessTokenRecord, Claims } from './domain/access-token.js'
import type { AskedJwt } from './domain/asked-jwt.js'
import type { AskedKubernetes } from './domain/asked-kubernetes.js'
import type { AskedOidc } from './domain/asked-oidc.js'
import type { MappedClaims } from './domain/assertion-rules.js'
import type { AssertionMethod, Configuration, ConfiguredMethod } from './domain/auth-method.js'
import type { Sealed, Secret } from './domain/sealed.js'
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
  readonly stamp: Stamp
}

/** Makes and verifies the text of access tokens. */
export type TokenSigner = {
  sign(claims: Claims): string
  /** The claims of a token in its one spelling, signed by a key of ours and not expired; a refusal for anything else. */
  verify(text: string): Promise<Claims>
  /** The same for a token that may have expired: what it was good for. */
  verifyExpiredToo(text: string): Promise<Claims>
  publicKeys(): readonly (PublicJwk & { readonly kid: string })[]
}

/** Makes what a new client secret is verified with. */
export type SecretHasher = { verifiersOf(owner: SecretOwner, text: string): Promise<Verifiers> }

/** An auth method that operators configure: what is stored of a configuration, and what is shown of that. */
export type ConfigurableMethod<Asked> = {
  /** What is to be stored of what was asked for; reports what is wrong with it, by field. */
  configure(asked: Asked, at: (field: string) => Report): Configuration
  /** What of it is secret, and so stored sealed and never shown; without it nothing is. */
  secretOf?(asked: Asked): Secret
  /** Where the secret goes, if there is one: it is kept only where that stays the same. */
  goesTo?(configuration: Configuration): string | undefined
  /** What was stored, as it was asked for. */
  show(configuration: Configuration): Asked
}

/** By their names; what is asked for is the message of the method. */
export type AuthMethods = { readonly [Name in ConfiguredMethod]: ConfigurableMethod<AskedOf[Name]> }

export type AskedOf = {
  readonly 'token-auth': object
  readonly 'kubernetes-auth': AskedKubernetes
  readonly 'oidc-auth': AskedOidc
  readonly 'jwt-auth': AskedJwt
}

/** What a workload shows, and under what its identity has it verified. */
export type Shown = {
  readonly jwt: string
  readonly configuration: Configuration
  readonly secret: string | undefined
  readonly organizationId: string
}

/** An auth method by which an assertion of somebody else is shown. */
export type ProvingMethod<Asked> = ConfigurableMethod<Asked> & {
  /** What rules may say of whoever shows it. Unproven where it proves nothing, NoAnswer where that could not be learnt. */
  verify(shown: Shown): Promise<MappedClaims>
}

export type ProvingMethods = { readonly [Name in AssertionMethod]: ProvingMethod<AskedOf[Name]> }

/** Encrypts what is secret in a method's configuration, for its row alone. */
export type ConfigurationSeal = {
  seal(id: string, text: string): Sealed
  open(stored: Sealed & { readonly id: string }): string | undefined
}

/** An assertion, of whose identity it is said to be, and by which of its methods. */
export type MethodProof = { readonly identityId: string; readonly method: AssertionMethod; readonly jwt: string }

/** What a proof proved: who logs in, with what, and what its tokens are given. */
export type Proven = Omit<TokenSettings, 'accessTokenTrustedIps'> & {
  readonly organizationId: string
  readonly identityId: string
  readonly clientId: string
  readonly method: string
  readonly credentialId: string
  readonly credentialEpoch: string
  readonly methodEpoch: string
  readonly identityEpoch: string | null
  readonly organizationEpoch: string | null
  /** What was proven beside who it is. */
  readonly authClaims?: Readonly<Record<string, string>>
  /** Of the method, where its configuration said what is a proof. */
  readonly methodEtag?: string
  /** Where the change feed stood when this was read: what the login writes can be no newer. */
  readonly stamp: Stamp
}

/** An auth method: verifies a proof. `refused` learns the true reason, which the caller is never told. */
export type ProofVerifier<Proof> = { verify(proof: Proof, refused: (reason: string) => void): Promise<Proven> }

export type UniversalAuthProof = { readonly clientId: string; readonly clientSecret: string }
