import type { Generated, JSONColumnType, Kysely, Transaction } from 'kysely'
import type { Counted, NamedToken } from '../domain/access-token.js'
import type { AuthMethod, Configuration } from '../domain/auth-method.js'
import type { ClientSecret } from '../domain/client-secret.js'
import type { Principal } from '../domain/principal.js'
import type { SigningKey } from '../domain/signing-key.js'
import type { Argon2Parameters, Verifiers } from '../domain/secret-hash.js'
import type { UniversalAuth } from '../domain/universal-auth.js'
import type { WrappedSecret } from '../domain/wrapping.js'

// The tables of schema `exchange`, as migrations/ makes them; kysely spells `clientSecret` as `client_secret`. Every key
// begins with the organization, except those of signing keys and of the locator that a login starts from.

/** Where a client id belongs: the one thing that a login knows. */
export type ClientLocator = { readonly clientId: string; readonly organizationId: string; readonly identityId: string }

export type SigningKeyRow = SigningKey & {
  publicJwk: JSONColumnType<PublicJwk, string, string>
  /** AES-256-GCM under the key that keyEncryptionKeyId names, with the kid as associated data. Null once it is retired. */
  sealedPrivateKey: Buffer | null
  keyEncryptionKeyId: string
}

export type PublicJwk = { readonly kty: string; readonly crv: string; readonly x: string; readonly y: string }

export type AuthMethodRow = Omit<AuthMethod, 'configuration'> & {
  readonly configuration: JSONColumnType<Configuration, string, string>
  /** What is secret in the configuration, as a signing key is sealed, with the row's id as associated data. */
  readonly sealedConfiguration: Buffer | null
  readonly keyEncryptionKeyId: string | null
}

export type ExchangeSchema = {
  clientLocator: ClientLocator
  /** Failed logins before `lockoutClearTime` count no more. */
  universalAuth: UniversalAuth & { readonly lockoutClearTime: Generated<Date | null> }
  clientSecret: ClientSecret & Omit<Verifiers, 'argon2Parameters'> & { readonly argon2Parameters: JSONColumnType<Argon2Parameters, string, string> }
  wrappedSecret: WrappedSecret
  accessToken: NamedToken & Counted
  authMethod: AuthMethodRow
  identityEpoch: { readonly organizationId: string; readonly identityId: string; readonly epoch: string }
  organizationEpoch: { readonly organizationId: string; readonly epoch: string }
  signingKey: SigningKeyRow
  principal: Principal
}

export type Db = Kysely<ExchangeSchema>

export type Tx = Transaction<ExchangeSchema>
