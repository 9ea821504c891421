import { createHmac, timingSafeEqual } from 'node:crypto'

/** A key that is outside the database, so that digests alone are worth nothing. */
export type Pepper = { readonly id: string; readonly key: Buffer }

/** Whose secret it is. Part of what is hashed, both ways, so that what was moved to another row never verifies. */
export type SecretOwner = { readonly organizationId: string; readonly identityId: string; readonly id: string }

/** The two verifiers of a secret: a keyed digest for every login, and argon2id for the day a pepper is lost or changed. */
export type Verifiers = {
  readonly digest: Buffer
  readonly pepperId: string
  readonly argon2Hash: Buffer
  readonly argon2Salt: Buffer
  readonly argon2Parameters: Argon2Parameters
}

export type Argon2Parameters = { readonly memoryCost: number; readonly timeCost: number; readonly parallelism: number }

export const digestUnder = (pepper: Pepper, owner: SecretOwner, text: string): Buffer =>
  createHmac('sha256', pepper.key).update(`${ownerText(owner)}|${text}`).digest()

/** Constant-time for equal lengths; of another length it is none of ours. */
export const sameBytes = (one: Buffer, other: Buffer): boolean => one.length === other.length && timingSafeEqual(one, other)

/** Three ids of one fixed length each: no two owners have the same. */
const ownerText = ({ organizationId, identityId, id }: SecretOwner): string => `${organizationId}|${identityId}|${id}`

export const associatedData = (owner: SecretOwner): Buffer => Buffer.from(ownerText(owner))
