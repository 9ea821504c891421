import { randomFillSync } from 'node:crypto'

// One draw of many bytes costs what one of a few does, and every call needs a few.
const pool = Buffer.alloc(8192)
let used = pool.length

/** Unpredictable bytes in lower-case hex, for names of things; never for a secret. */
export function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += bytes
  return pool.toString('hex', used - bytes, used)
}
