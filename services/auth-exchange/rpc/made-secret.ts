import { randomBytes } from 'node:crypto'
import type { CreateClientSecretResponse } from '#libs/wire/gen/countersign/exchange/v1/client_secret.js'
import { type ClientSecret, secretText } from '../domain/client-secret.js'
import { identityNotActive, identityNotFound } from '../domain/refusals.js'
import type { Verifiers } from '../domain/secret-hash.js'
import { sealSecret, type WrappedSecret, wrappingDigest, wrappingText } from '../domain/wrapping.js'
import type { IdentityKey, IdentityReader, SecretHasher } from '../ports.js'
import { insertClientSecret } from '../store/client-secrets.js'
import type { Tx } from '../store/schema.js'
import { insertWrappedSecret } from '../store/wrapped-secrets.js'

// What creating and rotating have in common: a secret is made, shown once or wrapped, and stored.

type Made = {
  readonly secret: ClientSecret
  readonly verifiers: Verifiers
  readonly wrapped: WrappedSecret | undefined
  /** What is shown of it, this once. */
  readonly shown: Pick<CreateClientSecretResponse, 'secret' | 'wrappingToken' | 'wrappingExpireTime'>
}

type Wanted = { readonly hasher: SecretHasher; readonly wrapTtlSeconds: number | undefined }

export async function madeSecret(secret: ClientSecret, { hasher, wrapTtlSeconds }: Wanted): Promise<Made> {
  const { id, organizationId, identityId, createTime } = secret
  const text = secretText(id, randomBytes(32))
  const verifiers = await hasher.verifiersOf(secret, text)
  if (wrapTtlSeconds === undefined) return { secret, verifiers, wrapped: undefined, shown: { secret: text, wrappingToken: '', wrappingExpireTime: undefined } }
  const wrappingToken = wrappingText(randomBytes(32))
  const expireTime = new Date(createTime.getTime() + wrapTtlSeconds * 1000)
  const unread = { digest: wrappingDigest(wrappingToken), sealedSecret: sealSecret(wrappingToken, secret, text), unwrapTime: null, refusals: 0 }
  const wrapped = { organizationId, identityId, clientSecretId: id, ...unread, createTime, expireTime }
  return { secret, verifiers, wrapped, shown: { secret: '', wrappingToken, wrappingExpireTime: expireTime } }
}

export async function storeSecret(tx: Tx, { secret, verifiers, wrapped }: Made): Promise<void> {
  await insertClientSecret(tx, secret, verifiers)
  if (wrapped) await insertWrappedSecret(tx, wrapped)
}

/** What is said of a new secret in the audit. */
export const auditedOf = ({ secret: { identityId, useLimit, expireTime, trustedIps }, wrapped }: Made): Record<string, unknown> =>
  ({ identityId, useLimit, expireTime, trustedIps, wrappingExpireTime: wrapped?.expireTime ?? null })

/** Refuses a credential that would be good for nothing. */
export async function assertActive(identities: IdentityReader, identity: IdentityKey, outgoing: Parameters<IdentityReader['stateOf']>[1]): Promise<void> {
  const state = await identities.stateOf(identity, outgoing)
  if (state === 'absent') throw identityNotFound(identity.identityId)
  if (state === 'disabled') throw identityNotActive(identity.identityId)
}
