import { DomainError } from '#libs/domain-error.js'
import { type Position, revisionFrom } from '#libs/freshness/revision.js'
import { CheckRequest, type CheckResponse } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { productVersion } from '#libs/version.js'
import type { Shell } from '../command.js'
import { explain, Failure } from '../failure.js'
import { checkOwn } from '../presented-token.js'
import type { FeedHead } from './database.js'
import { failure, type Finding, firstLineOf, notLookedAt, ok, warning } from './finding.js'

// Whether authorization-check follows its owners, seen by asking it something, and by its metrics.

const FULL = { level: { $case: 'full' as const, value: {} } }
const METRICS_WITHIN_MILLIS = 3_000

/** `heads` were read before: a decision that follows both feeds is no older for long. */
export async function askedFindings(shell: Shell, heads: readonly FeedHead[]): Promise<Finding[]> {
  const ask = (consistency?: typeof FULL): Promise<CheckResponse> => checkOwn(shell, CheckRequest.fromPartial({ action: 'read', resource: { type: 'identity' }, ...(consistency && { consistency }) }))
  let decision: CheckResponse
  try {
    decision = await ask()
    // What was committed within the bound may be missing from an answer of before, never from a full one.
    if (behind(decision, heads).some(({ changes }) => changes > 0)) decision = await ask(FULL)
  } catch (error) {
    return [refused(error)]
  }
  const found = behind(decision, heads)
  const login = ok('credentials', `the token of identity ${decision.identityName} is accepted`)
  const elsewhere = found.filter(({ sameEpoch }) => !sameEpoch).map(({ feed }) => feed)
  if (elsewhere.length > 0) return [login, failure('feeds', { seen: `authorization-check follows another ${elsewhere.join(' and another ')} than this database`, advice: 'let services and doctor use one database; after a restore or failover restart what still follows the old one' })]
  const late = found.filter(({ changes }) => changes > 0).map(({ feed, changes }) => `${feed} ${changes} changes behind`)
  if (late.length > 0) return [login, failure('feeds', { seen: late.join(', '), advice: 'see whether authorization-check reaches the owners that it is configured with, and they this database' })]
  const bound = `every change older than ${decision.stalenessBoundMillis} ms counts`
  return [login, ok('feeds', found.length === 0 ? bound : `${bound}; ${found.map(({ feed, seq }) => `${feed} at ${seq}`).join(', ')}, nothing missing`)]
}

type Behind = { readonly feed: string; readonly seq: number; readonly changes: number; readonly sameEpoch: boolean }

function behind({ revision }: CheckResponse, heads: readonly FeedHead[]): Behind[] {
  const positions: readonly Position[] = revisionFrom(revision, () => undefined)
  return heads.flatMap((head) => {
    const position = positions.find(({ feed }) => feed === head.feed)
    return position ? [{ feed: head.feed, seq: position.seq, changes: Math.max(0, head.seq - position.seq), sameEpoch: position.epoch === head.epoch }] : []
  })
}

function refused(error: unknown): Finding {
  const { reason, message } = explain(error).description
  if (error instanceof DomainError && error.kind === 'UNAUTHENTICATED') return failure('credentials', { seen: message, advice: 'use the credentials of an identity that is active; `countersign recover-admin` makes some where none are left' })
  if (reason === 'LEASE_LAPSED') return failure('feeds', { seen: message, advice: 'see whether authorization-check reaches the internal ports of both owners, and they their database' })
  if (error instanceof Failure && error.exitCode === 2) return notLookedAt('feeds', { seen: 'there are no credentials to ask with', advice: message })
  if (error instanceof DomainError) return failure('feeds', { seen: `${message} (${reason})`, advice: 'docs/errors.md says what the reason means; the log of authorization-check says more' })
  return notLookedAt('feeds', { seen: message, advice: 'see the lines of the services' })
}

/** What each given address of metrics says. */
export async function metricsFindings(addresses: readonly string[]): Promise<Finding[]> {
  if (addresses.length === 0) return [notLookedAt('version, lease', { seen: 'no metrics to read', advice: 'set COUNTERSIGN_METRICS to host:port of METRICS_PORT of each replica, with commas between' })]
  return (await Promise.all(addresses.map(metricsOf))).flat()
}

async function metricsOf(address: string): Promise<Finding[]> {
  let text: string
  try {
    const response = await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(METRICS_WITHIN_MILLIS) })
    if (!response.ok) throw new Error(`it answers with ${response.status}`)
    text = await response.text()
  } catch (error) {
    return [failure('lease', { seen: `no metrics from ${address}: ${firstLineOf(error)}`, advice: 'set METRICS_PORT of the service, and let this machine in' })]
  }
  const bounds = gauges(text, 'countersign_lease_bound_seconds')
  return [versionFinding(address, text), ...[...gauges(text, 'countersign_lease_age_seconds')].map(([feed, age]) => leaseFinding(`${address} ${feed}`, age, bounds.get(feed) ?? 0))]
}

function versionFinding(address: string, text: string): Finding {
  const [runs, ours] = [/^countersign_build_info\{version="([^"]*)"/m.exec(text)?.[1] ?? 'unknown', productVersion()]
  const seen = `${address} runs ${runs}`
  if (runs === ours) return ok('version', seen)
  return warning('version', { seen: `${seen}, this command line is ${ours}`, advice: 'use the command line of the version that runs; while a rollout goes on, both may be seen' })
}

function leaseFinding(whose: string, age: number, bound: number): Finding {
  const seen = `${whose}: ${Number.isFinite(age) ? age.toFixed(3) : 'never pulled'} s old, of ${bound} s that it may be`
  if (age <= bound) return ok('lease', seen)
  return warning('lease', { seen, advice: 'a replica that nobody asks stops pulling; if it is being asked, see whether it reaches the owner and the owner its database' })
}

function gauges(text: string, name: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`))
  return new Map(lines.map((line) => [/feed="(\w+)"/.exec(line)?.[1] ?? '', Number(line.slice(line.lastIndexOf(' ') + 1).replace('+Inf', 'Infinity'))]))
}
