import type { Event } from './history.js'
import type { Recorder } from './recorder.js'
import type { Violation } from './checker.js'

/** What a run has to reach in each second to have proved something; the long runs reach several times as much. */
const LEAST_PER_SECOND = { mutations: 2, faultful: 1, revocations: 0.5, requests: 20, uses: 0.5, revoked: 2, allowedUnderFault: 2, demanded: 0.2, revision: 0.2, replica: 0.05, byKey: 0.2, byAddress: 0.2, byPrincipal: 0.1 } as const

const STORY_MILLIS = 4_000
const STORY_LINES = 120

type Run = { readonly recorder: Recorder; readonly seed: string; readonly seconds: number }

export type Reached = Readonly<Record<keyof typeof LEAST_PER_SECOND, number>>

export function reachedBy({ counts: { mutations, faultful, revocations, requests, uses }, checker: { windows, revokedBy } }: Recorder): Reached {
  const countOf = (method: string): number => revokedBy.get(method) ?? 0
  return { mutations, faultful, revocations, requests, uses, ...windows, byKey: countOf('RevokeSigningKey'), byAddress: countOf('UpdateUniversalAuth') + countOf('UpdateAuthMethod'), byPrincipal: countOf('DeletePrincipal') }
}

/** What was too rare to prove anything. */
export function whatIsMissing({ recorder, seconds }: Run): string[] {
  const reached = new Map(Object.entries(reachedBy(recorder)))
  return Object.entries(LEAST_PER_SECOND).flatMap(([name, least]) => {
    const count = reached.get(name) ?? 0
    return count < least * seconds ? [`${name} ${count} of ${Math.ceil(least * seconds)}`] : []
  })
}

/** All that a run has to say, in one line. */
export function lastLine({ recorder: { counts, checker }, seed, seconds }: Run): string {
  const { mutations, faultful, revocations, requests, uses, unavailable, faults, longestRecoveryMillis } = counts
  const { revoked, allowedUnderFault, demanded, revision, replica } = checker.windows
  const byKind = [...faults].toSorted(([one], [other]) => one.localeCompare(other)).map(([kind, count]) => `${kind} ${count}`)
  const revokedBy = [...checker.revokedBy].toSorted(([, one], [, other]) => other - one).map(([method, count]) => `${method} ${count}`)
  const total = [...faults.values()].reduce((sum, count) => sum + count, 0)
  return [
    `chaos ${seconds.toFixed(0)} s, seed ${seed}: ${checker.violations.length} violations`,
    `${mutations} mutations (${faultful} under faults, ${revocations} took something away)`,
    `${requests} requests (${((100 * unavailable) / Math.max(1, requests)).toFixed(1)} % UNAVAILABLE)`,
    `${uses} uses of what has few`,
    `in windows: revoked ${revoked} (${revokedBy.join(', ')}), allowed under a fault ${allowedUnderFault}, demanded ${demanded}, revision ${revision}, replica ${replica}`,
    `${total} faults (${byKind.join(', ')})`,
    `recovered within ${longestRecoveryMillis.toFixed(0)} ms`,
  ].join('; ')
}

/** How often each method was used. */
export const methodLine = ({ recorder: { counts } }: Run): string =>
  [...counts.methods].toSorted(([one], [other]) => one.localeCompare(other)).map(([method, count]) => `${method} ${count}`).join(', ')

export function progress({ recorder: { counts, checker, activeFaults }, seconds }: Run): string {
  const active = [...activeFaults.values()].map(({ kind, target }) => `${kind} of ${target}`)
  const { mutations, faultful, requests, unavailable } = counts
  return `${seconds.toFixed(0).padStart(4)} s  ${mutations} mutations, ${faultful} under faults  ${requests} checks, ${unavailable} unavailable  ${checker.windows.revoked} just after a revocation  ${active.length === 0 ? 'calm' : active.join(', ')}`
}

/** What happened around a violation: to the same subject, at the same replica, and all faults. */
export function story({ recorder: { history }, seed }: Run, { rule, at, text, request, tracks, replica }: Violation): string {
  const from = at - STORY_MILLIS
  const about = new Set(tracks)
  const changes = new Set<number>()
  const requests = new Set<number>()
  const isTold = (event: Event): boolean => {
    if (event.at > at) return false
    switch (event.type) {
      case 'track':
        return about.has(event.track)
      case 'change':
        if (event.values.some(({ track }) => about.has(track))) changes.add(event.change)
        return changes.has(event.change)
      case 'changed':
        return changes.has(event.change)
      case 'turn':
        return about.has(event.track)
      case 'asked':
        if (event.at >= from && event.tracks.some((track) => about.has(track)) && (event.replica === replica || event.request === request)) requests.add(event.request)
        return requests.has(event.request)
      case 'answered':
        return requests.has(event.request)
      case 'fault':
      case 'mended':
      case 'recovered':
        return event.at >= from
      case 'use':
      case 'refused':
      case 'found':
        return event.at === at
    }
  }
  const told = history.filter(isTold).slice(-STORY_LINES).map((event) => `  ${(event.at - at).toFixed(1).padStart(10)} ms  ${worded(event)}`)
  return [`VIOLATION ${rule}, seed ${seed}: ${text}${request === undefined ? '' : ` (request ${request})`}`, ...told].join('\n')
}

function worded(event: Event): string {
  const { type, ...rest } = event
  return `${type.padEnd(9)} ${JSON.stringify({ ...rest, at: undefined })}`
}
