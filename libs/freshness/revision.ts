import type { Report } from '../domain-error.js'
import { FEEDS, type FeedName } from './entities.js'
import type { Stamp } from './stamp.js'

/** How far each feed was: a set, since positions of different feeds can't be compared. The feed `registry` or `exchange`, its shard, its epoch. */
export type Position = Stamp & { readonly feed: FeedName; readonly shard: number }

export type Revision = readonly Position[]

/** There is one shard so far; the text has room for more. */
export const SHARD = 0

const POSITION = /^([a-z]{1,16})\.(\d{1,4})\.([0-9a-f]{16})\.(\d{1,15})$/
const MAX_POSITIONS = 64

/** `registry.0.3f6c2f9a1b0e4d57.42,exchange.0.…`: what callers are given and give back as it is. */
export const revisionText = (revision: Revision): string =>
  revision.map(({ feed, shard, epoch, seq }) => `${feed}.${shard}.${epoch}.${seq}`).join(',')

export function revisionFrom(text: string, report: Report): Revision {
  const parts = text.split(',', MAX_POSITIONS + 1)
  const positions = parts.map(positionFrom).filter((position) => position !== undefined)
  if (positions.length !== parts.length || parts.length > MAX_POSITIONS) report('must be a revision as a change or a decision returned it, or several with commas between')
  return positions
}

function positionFrom(text: string): Position | undefined {
  const [, name, shard, epoch, seq] = POSITION.exec(text) ?? []
  const feed = FEEDS.find((one) => one === name)
  return feed === undefined || epoch === undefined ? undefined : { feed, shard: Number(shard), epoch, seq: Number(seq) }
}
