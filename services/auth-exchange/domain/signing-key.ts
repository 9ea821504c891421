import { CEILING_SECONDS } from './access-token.js'

/** A key that signs access tokens, without what is secret of it. */
export type SigningKey = {
  /** RFC 7638 thumbprint of the public half. */
  readonly kid: string
  /** Prepared: published, so that whoever verifies knows it before it signs. Retired: signs no more, and still verifies. */
  readonly state: 'prepared' | 'active' | 'retired'
  readonly createTime: Date
  /** Since when it has signed; of a prepared key, when it will. Null: since it was made, by a version that prepared none. */
  readonly activateTime: Date | null
  readonly retireTime: Date | null
}

/** How long a key signs (0: for ever), and how long before that it is published. */
export type RotationSchedule = { readonly lifeMillis: number; readonly leadMillis: number }

/** `replace`: nothing signs and nothing is prepared, which no replica does to itself. */
export type KeyStep =
  | { readonly kind: 'prepare' | 'replace'; readonly activateTime: Date }
  | { readonly kind: 'activate' | 'remove'; readonly kid: string }

/** For clocks that differ, and for a login that read which key signs just before another one did. */
const SLACK_MILLIS = 3_600_000

/** When the last token that a retired key signed has expired: no token lives longer than the ceiling. */
export const removeTimeOf = ({ retireTime }: SigningKey): Date | undefined =>
  retireTime ? new Date(retireTime.getTime() + CEILING_SECONDS * 1000 + SLACK_MILLIS) : undefined

/** What is to be done with the keys now. What one step makes possible comes with the next look. */
export function dueSteps(keys: readonly SigningKey[], now: Date, schedule: RotationSchedule): KeyStep[] {
  const next = nextStep(keys, now, schedule)
  const over = keys.filter((key) => key.state === 'retired' && (removeTimeOf(key) ?? now) < now)
  return [...(next ? [next] : []), ...over.map(({ kid }) => ({ kind: 'remove' as const, kid }))]
}

function nextStep(keys: readonly SigningKey[], now: Date, { lifeMillis, leadMillis }: RotationSchedule): KeyStep | undefined {
  const active = keys.find(({ state }) => state === 'active')
  const prepared = keys.find(({ state }) => state === 'prepared')
  if (prepared) return !active || (prepared.activateTime ?? now) <= now ? { kind: 'activate', kid: prepared.kid } : undefined
  if (!active) return { kind: 'replace', activateTime: now }
  const endMillis = (active.activateTime ?? active.createTime).getTime() + lifeMillis
  if (lifeMillis === 0 || endMillis - leadMillis > now.getTime()) return undefined
  return { kind: 'prepare', activateTime: new Date(Math.max(endMillis, now.getTime() + leadMillis)) }
}
