import type { Insertable } from 'kysely'
import type { Authorization } from '#libs/authorization.js'
import type { Clock } from '#libs/clock.js'
import type { DomainError, Report } from '#libs/domain-error.js'
import type { ChangeFeed } from '#libs/freshness/append.js'
import type { Stamp } from '#libs/freshness/stamp.js'
import type { Ids } from '#libs/ids.js'
import type { Outgoing } from '#libs/rpc/client.js'
import type { Call } from '#libs/rpc/unary.js'
import type { AccessTokenRecord, Claims, SignedClaims } from './domain/access-token.js'
import type { AskedJwt } from './domain/asked-jwt.js'
import type { AskedKubernetes } from './domain/asked-kubernetes.js'
import type { AskedOidc } from './domain/asked-oidc.js'
import type { MappedClaims } from './domain/assertion-rules.js'
import type { AssertionMethod, Configuration, ConfiguredMethod } from './domain/auth-method.js'
import type { Remembered } from './domain/client-secret.js'
import type { LoginFailure } from './domain/login-failures.js'
import type { Sealed, Secret } from './domain/sealed.js'
import type { SecretOwner, Verifiers } from './domain/secret-hash.js'
import type { RotationSchedule } from './domain/signing-key.js'
import type { OwnLockout } from './domain/throttle.js'
import type { TokenSettings } from './domain/token-settings.js'
import type { Db, ExchangeSchema, PublicJwk, SigningKeyRow } from './store/schema.js'

/** What a handler needs that reads. */
export type Reading = { readonly db: Db; readonly authorization: Authorization }

/** What a handler needs that writes. */
export type Writing = Reading & { readonly feed: ChangeFeed<ExchangeSchema>; readonly ids: Ids; readonly clock: Clock }

/** What identity-registry says of identities. */
export type IdentityReader = {
  /** Within the staleness bound. */
  stateOf(identity: IdentityKey, outgoing: Outgoing): IdentityState | Promise<IdentityState>
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

/** The text of a token, and its digest, by which it is known wherever it is kept. */
export type SignedText = { readonly text: string; readonly digest: string }

/** A token as it was issued, and where the feed stood when what it rests on was read. */
export type IssuedToken = {
  /** Of its text. */
  readonly digest: string
  readonly record: AccessTokenRecord
  /** From where the tokens of its method may be used, as of the stamp. */
  readonly trustedIps: readonly string[]
  readonly stamp: Stamp
}

/** Makes and verifies the text of access tokens. */
export type TokenSigner = {
  /** By the key of this id, which is the one that signs. */
  sign(claims: Claims, kid: string | null): Promise<SignedText>
  /** The claims of a token in its one spelling, signed by a key of ours and not expired; a refusal for anything else. */
  verify(text: string): Promise<SignedClaims>
  /** The same for a token that may have expired: what it was good for. */
  verifyExpiredToo(text: string): Promise<SignedClaims>
  publicKeys(): readonly (PublicJwk & { readonly kid: string })[]
}

/** The rotation of signing keys, as a handler may hasten it. */
export type KeyRotation = {
  readonly schedule: RotationSchedule
  /** A key that is stored nowhere yet. */
  readonly newKey: (kept: { readonly state: 'prepared'; readonly createTime: Date; readonly activateTime: Date }) => Promise<Insertable<SigningKeyRow>>
  /** Takes the steps that are due, and has this replica know the keys. */
  readonly keep: () => Promise<void>
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
  /** Of keys that may open, and no longer seal. */
  readonly earlierIds: readonly string[]
  seal(id: string, text: string): Sealed
  open(stored: Sealed & { readonly id: string }): string | undefined
}

/** An assertion, of whose identity it is said to be, and by which of its methods. */
export type MethodProof = { readonly identityId: string; readonly method: AssertionMethod; readonly jwt: string }

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
  /** The key that signs, read with the stamp. */
  readonly signingKid: string | null
  /** Counts what still fails after the proof was good. */
  readonly ownLockout?: OwnLockout
  /** What was proven beside who it is. */
  readonly authClaims?: Readonly<Record<string, string>>
  /** Of the method, where its configuration said what is a proof. */
  readonly methodEtag?: string
  /** Where the change feed stood when this was read: what the login writes can be no newer. */
  readonly stamp: Stamp
  /** It was read for an earlier login: whether it still is so is to be tested by the statement that records this one. */
  readonly remembered?: Remembered
}

/** One try to log in. */
export type LoginAttempt = {
  /** Its failure would be one too many: what it costs is kept low, and a good proof is accepted all the same. */
  readonly isSuspect: boolean
  /** Counts a failure for its true reason, which the caller is never told, and answers with what the caller is told. */
  refusal(reason: LoginFailure, own?: OwnLockout, detail?: string): DomainError
  /** For the log alone: nothing is known against the proof. */
  note(detail: string): void
  succeeded(): void
}

/** `clientId`: the id of the identity for every method but Universal Auth. */
export type TriedLogin = { readonly clientId: string; readonly method: string; readonly sourceAddress: string | undefined }

export type LoginAttempts = { begin(call: Call, login: TriedLogin): LoginAttempt }

/** An auth method: verifies a proof. */
export type ProofVerifier<Proof> = { verify(proof: Proof, attempt: LoginAttempt): Promise<Proven> }

export type UniversalAuthVerifier = ProofVerifier<UniversalAuthProof> & {
  /** What a good proof proves by what was read for an earlier login, with no question to the database; undefined for every other. */
  remembered(proof: UniversalAuthProof): Proven | undefined
}

export type UniversalAuthProof = {
  readonly clientId: string
  readonly clientSecret: string
  /** Undefined where it is not known. */
  readonly sourceAddress: string | undefined
}
