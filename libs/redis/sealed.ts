import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { type NamedKey, namedKeys } from '../env.js'

/** The state of the feed that a value was read in: what has changed since then is known from there on. */
export type SealStamp = { readonly epoch: string; readonly seq: number }

export type Opened = SealStamp & { readonly value: string }

export type Sealer = {
  /** The bytes to keep under `key`. */
  seal(key: string, stamp: SealStamp, value: string): Buffer
  /** What was sealed for this very key; undefined for everything else that may be found there. */
  open(key: string, bytes: Buffer): Opened | undefined
}

// version (1) · length of the MAC key's id (1) · that id · length of the epoch (2) · epoch · seq (8) · value · MAC (32).
// The MAC also covers the store's key with its length, in front. Every part but the last says its length, so that no two
// different entries are the same bytes to it.
const VERSION = 2
const FIXED = 12
const MAC = 32

/** The first key seals, every key opens: a new one comes second, then first, and the old one goes last. */
export function sealer(keys: readonly [NamedKey, ...NamedKey[]]): Sealer {
  const secrets = new Map(keys.map(({ id, key }) => [id, createSecretKey(key)]))
  const [{ id: currentId, key: currentKey }] = keys
  const current = createSecretKey(currentKey)
  return {
    seal(key, { epoch, seq }, value) {
      const epochLength = Buffer.byteLength(epoch)
      const bytes = Buffer.allocUnsafe(FIXED + currentId.length + epochLength + Buffer.byteLength(value) + MAC)
      let at = bytes.writeUInt8(VERSION, 0)
      at = bytes.writeUInt8(currentId.length, at)
      at += bytes.write(currentId, at, 'latin1')
      at = bytes.writeUInt16BE(epochLength, at)
      at += bytes.write(epoch, at)
      at = bytes.writeDoubleBE(seq, at)
      at += bytes.write(value, at)
      macOf(current, key, bytes.subarray(0, at)).copy(bytes, at)
      return bytes
    },
    open(key, bytes) {
      const [version, idLength = 0] = bytes
      const end = bytes.length - MAC
      if (version !== VERSION || end < FIXED + idLength) return undefined
      const secret = secrets.get(bytes.toString('latin1', 2, 2 + idLength))
      if (secret === undefined || !timingSafeEqual(macOf(secret, key, bytes.subarray(0, end)), bytes.subarray(end))) return undefined
      const epochStart = 4 + idLength
      const epochEnd = epochStart + bytes.readUInt16BE(epochStart - 2)
      return { epoch: bytes.toString('utf8', epochStart, epochEnd), seq: bytes.readDoubleBE(epochEnd), value: bytes.toString('utf8', epochEnd + 8, end) }
    },
  }
}

const macOf = (secret: KeyObject, key: string, body: Buffer): Buffer =>
  createHmac('sha256', secret).update(`${Buffer.byteLength(key)}:${key}`).update(body).digest()

/** The id of the key that an entry says it is sealed under, true or not; undefined for what is no entry of this version. */
export function sealedUnder(bytes: Buffer): string | undefined {
  const [version, idLength = 0] = bytes
  return version === VERSION && idLength > 0 ? bytes.toString('latin1', 2, 2 + idLength) : undefined
}

/** The variable REDIS_MAC_KEYS. */
export const macKeys = namedKeys('seals')
