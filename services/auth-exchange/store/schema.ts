import type { JSONColumnType, Kysely, Transaction } from 'kysely'
import type { AccessTokenRecord, Counted } from '../domain/access-token.js'
import type { ClientSecret } from '../domain/client-secret.js'
import type { Principal } from '../domain/principal.js'
import type { Argon2Parameters, Verifiers } from '../domain/secret-hash.js'
import type { TokenSettings } from '../domain/token-settings.js'
import type { UniversalAuth } from '../domain/universal-auth.js'

// The tables of schema `exchange`, as migrations/ makes them; kysely spells `clientSecret` as `client_secret`. Every key
// begins with the organization, except those of signing keys and of the locator that a login starts from.

/** Where a client id belongs: the one thing that a login knows. */
export type ClientLocator = { readonly clientId: string; readonly organizationId: string; readonly identityId: string }

export type SigningKeyRow = {
  /** RFC 7638 thumbprint. */
  kid: string
  state: 'active' | 'retired'
  publicJwk: JSONColumnType<PublicJwk, string, string>
  /** AES-256-GCM under the key that keyEncryptionKeyId names, with the kid as associated data. */
  sealedPrivateKey: Buffer
  keyEncryptionKeyId: string
  createTime: Date
}

export type PublicJwk = { readonly kty: string; readonly crv: string; readonly x: string; readonly y: string }

export type AuthMethodRow = TokenSettings & {
  readonly organizationId: string
  readonly identityId: string
  readonly method: string
  /** What the tokens of the method name as their credential. */
  readonly id: string
  readonly configuration: JSONColumnType<Record<string, unknown>, string, string>
  /** What is secret in the configuration, as a signing key is sealed, with the row's id as associated data. */
  readonly sealedConfiguration: Buffer | null
  readonly keyEncryptionKeyId: string | null
  /** A fresh value voids every token that the method issued. */
  readonly epoch: string
  readonly createTime: Date
  readonly updateTime: Date
  readonly etag: string
}

export type ExchangeSchema = {
  clientLocator: ClientLocator
  universalAuth: UniversalAuth
  clientSecret: ClientSecret & Omit<Verifiers, 'argon2Parameters'> & { readonly argon2Parameters: JSONColumnType<Argon2Parameters, string, string> }
  accessToken: AccessTokenRecord & Counted & { readonly name: string | null }
  authMethod: AuthMethodRow
  identityEpoch: { readonly organizationId: string; readonly identityId: string; readonly epoch: string }
  organizationEpoch: { readonly organizationId: string; readonly epoch: string }
  signingKey: SigningKeyRow
  principal: Principal
}

export type Db = Kysely<ExchangeSchema>

export type Tx = Transaction<ExchangeSchema>
