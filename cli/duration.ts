import { wrongUsage } from './failure.js'

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }
const DURATION = /^(\d{1,10})([smhd])$/
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/

/** `3600`, `10m`, `1h`, `2d`. */
export function parseSeconds(text: string): number {
  const seconds = /^\d{1,10}$/.test(text) ? Number(text) : secondsOf(text)
  if (seconds === undefined) throw wrongUsage(`${text} is not a length of time: write seconds, or 10m, 1h, 2d.`)
  return seconds
}

/** An RFC 3339 time, or a length of time from now. */
export const parseMoment = (text: string, now: Date): Date => momentOf(text, (seconds) => now.getTime() + seconds * 1000, 'from now')

/** An RFC 3339 time, or a length of time ago. */
export const parsePastMoment = (text: string, now: Date): Date => momentOf(text, (seconds) => now.getTime() - seconds * 1000, 'ago')

function momentOf(text: string, away: (seconds: number) => number, whence: string): Date {
  const seconds = secondsOf(text)
  if (seconds !== undefined) return new Date(away(seconds))
  const moment = RFC_3339.test(text) && hasRealDay(text) ? new Date(text) : undefined
  if (moment && !Number.isNaN(moment.getTime())) return moment
  throw wrongUsage(`${text} is not a time: write it as 2030-01-31T09:00:00Z, or as a length of time ${whence} such as 2h.`)
}

// JavaScript would make the 2nd of March of a 30th of February.
function hasRealDay(text: string): boolean {
  const day = text.slice(0, 10)
  const date = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day)
}

function secondsOf(text: string): number | undefined {
  const [, amount, unit = ''] = DURATION.exec(text) ?? []
  const unitSeconds = UNIT_SECONDS[unit]
  return amount === undefined || unitSeconds === undefined ? undefined : Number(amount) * unitSeconds
}
