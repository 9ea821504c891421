import type { Clock } from './clock.js'
import { randomHex } from './random-hex.js'

/** Makes the ids of everything: UUIDv7 in lower case, each later than the one before within a process. */
export type Ids = { next(): string }

const SEQUENCE_LIMIT = 1 << 14

/**
 * UUIDv7 (RFC 9562): 48 bits of milliseconds, the 12 bits after the version name the cell (installation) that made the
 * id, then a 14-bit sequence within the millisecond and 48 random bits.
 */
export function createIds(clock: Clock, cell = 0): Ids {
  const version = (0x7000 | cell).toString(16)
  let millis = -1
  let sequence = 0
  // Of all ids of one millisecond.
  let beginning = ''
  return {
    next() {
      const now = clock.now().getTime()
      sequence += 1
      if (now > millis || sequence === SEQUENCE_LIMIT) {
        millis = Math.max(now, millis + 1)
        sequence = 0
        const time = millis.toString(16).padStart(12, '0')
        beginning = `${time.slice(0, 8)}-${time.slice(8)}-${version}`
      }
      const variantAndSequence = (0x8000 | sequence).toString(16)
      return `${beginning}-${variantAndSequence}-${randomHex(6)}`
    },
  }
}

/** In the place of an organization, where something belongs to none: in a change, in an audit event. No id is spelled so. */
export const INSTALLATION = '00000000-0000-0000-0000-000000000000'

/** The least that an id of this millisecond, or of a later one, can be. */
export function firstIdOf(time: Date): string {
  const millis = time.getTime().toString(16).padStart(12, '0')
  return `${millis.slice(0, 8)}-${millis.slice(8)}-0000-0000-000000000000`
}

/** When an id was made, by the clock of whoever made it. */
export const timeOf = (id: string): Date => new Date(parseInt(id.slice(0, 8) + id.slice(9, 13), 16))

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Whether the text is an id in its one accepted spelling. */
export const isId = (text: string): boolean => UUID_V7.test(text)
