import { createHash } from 'node:crypto'
import { ScalarType } from '@bufbuild/protobuf'
import { Redis } from 'ioredis'
import { withClient } from '../../deploy/local/service-databases.js'
import { partsOf, realKeyOf } from './forged-tokens.js'
import type { System } from './system.js'
import { changed, leavesOf, type Method, type WireMessage } from './wire.js'

// What nobody may ever read in a log, an error or the audit, in every spelling that a program is likely to give it.

export type Canary = { readonly name: string; readonly spellings: readonly string[] }

/** Enough of a text to be worth stealing, and too much to be there by chance. */
const FRAGMENT = 24

const fragment = (text: string): string => text.slice(0, FRAGMENT)

export function bytesCanary(name: string, bytes: Buffer): Canary {
  const hex = bytes.toString('hex')
  const texts = [hex, hex.toUpperCase(), bytes.toString('base64'), bytes.toString('base64url')].map(fragment)
  // As JSON.stringify writes a Buffer.
  return { name, spellings: [...texts, [...bytes.subarray(0, 12)].join(','), bytes.toString('latin1')] }
}

export const textCanary = (name: string, text: string): Canary => {
  const { spellings } = bytesCanary(name, Buffer.from(text))
  const digest = bytesCanary(name, createHash('sha256').update(text).digest())
  return { name, spellings: [fragment(text), ...spellings, ...digest.spellings] }
}

/** Of a client secret what follows its id, which is no secret. */
export const secretCanary = (name: string, secret: string): Canary => {
  const { spellings } = textCanary(name, secret)
  return { name, spellings: [fragment(secret.slice(secret.lastIndexOf('_') + 1)), ...spellings.filter((one) => !one.startsWith('csk_'))] }
}

/** Of a token its signature: what it claims is no secret. */
export const tokenCanary = (name: string, token: string): Canary => {
  const { signature } = partsOf(token)
  return { name, spellings: [fragment(signature), ...bytesCanary(name, Buffer.from(signature, 'base64url')).spellings] }
}

/** The names of what is in the text. */
export const foundIn = (text: string, canaries: readonly Canary[]): string[] =>
  canaries.filter(({ spellings }) => spellings.some((spelling) => text.includes(spelling))).map(({ name }) => name)

/** What a whole system has to keep to itself: its keys, its services' credentials, and what verifies every client secret. */
export async function canariesOf(system: System): Promise<Canary[]> {
  const { secrets, databases } = system
  const { pepper, keyEncryptionKey, redisMacKey, registryCredential, exchangeCredential, checkCredential, bootstrapCredential } = secrets
  const real = await realKeyOf(system)
  const stored = await withClient(databases.superuserUrl, async (client) => {
    const verifiers = 'select id, digest, argon2_hash as hash, argon2_salt as salt from exchange.client_secret'
    const keys = 'select sealed_private_key as sealed from exchange.signing_key where sealed_private_key is not null'
    const { rows } = await client.query<{ id: string; digest: Buffer; hash: Buffer; salt: Buffer }>(verifiers)
    return { verifiers: rows, keys: (await client.query<{ sealed: Buffer }>(keys)).rows }
  })
  return [
    bytesCanary('the pepper', Buffer.from(pepper, 'base64')),
    bytesCanary('the key encryption key', Buffer.from(keyEncryptionKey, 'base64')),
    bytesCanary('the key that seals what is in Redis', Buffer.from(redisMacKey, 'base64')),
    bytesCanary('the signing key', Buffer.from(String(real.key.export({ format: 'jwk' }).d), 'base64url')),
    ...stored.keys.map(({ sealed }) => bytesCanary('the sealed signing key', sealed)),
    ...Object.entries({ registryCredential, exchangeCredential, checkCredential, bootstrapCredential }).map(([name, text]) => textCanary(name, text)),
    textCanary('the password of the database', decodeURIComponent(new URL(databases.superuserUrl).password)),
    ...stored.verifiers.flatMap(({ id, digest, hash, salt }) => [
      bytesCanary(`the digest of ${id}`, digest),
      bytesCanary(`the hash of ${id}`, hash),
      bytesCanary(`the salt of ${id}`, salt),
    ]),
  ]
}

/** Everything that is in a Redis, keys and values. */
export async function redisText(url: string): Promise<string> {
  const redis = new Redis(url)
  try {
    const keys = await redis.keys('*')
    const values = await Promise.all(keys.map((key) => redis.getBuffer(key)))
    return keys.map((key, place) => `${key} ${values[place]?.toString('latin1') ?? ''}`).join('\n')
  } finally {
    redis.disconnect()
  }
}

/** The request with the text in each of its fields that hold text, one at a time. */
export const everywhere = ({ desc }: Method, request: WireMessage, text: string): WireMessage[] =>
  leavesOf(desc.input, request).flatMap(({ path, field }) => {
    if (field.fieldKind === 'map') return [{ [text]: {} }, { path: { string_value: text } }].map((attributes) => changed(request, path, attributes))
    return field.scalar === ScalarType.STRING ? [changed(request, path, text)] : []
  })
