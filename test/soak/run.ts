import { setTimeout as sleep } from 'node:timers/promises'
import { monotonicMillis } from '#libs/clock.js'
import { DomainError } from '#libs/domain-error.js'
import { Closing } from '#libs/lifecycle.js'
import { bootstrap, newAdmin } from '../../deploy/local/bootstrap.js'
import { newSecrets } from '../../deploy/local/secrets.js'
import { randomOf } from '../chaos/random.js'
import { answerOf } from '../chaos/recorder.js'
import { openLoop, type Outcome } from '../support/open-loop.js'
import { startOwnPostgres } from '../support/own-postgres.js'
import { type From, startProcesses } from '../support/processes.js'
import { ownRedis } from '../support/redis.js'
import { stablePort } from '../support/stable-port.js'
import { disturb, watchMachine } from './disturbances.js'
import { judge, type Verdict } from './judge.js'
import type { Asked, Disturbance, Observed, Work } from './observed.js'
import { watch } from './sampling.js'
import { startTraffic } from './traffic.js'

export type RunOptions = {
  readonly seed: string
  readonly millis: number
  readonly from: From
  readonly say: (line: string) => void
  /** Ends it early, in order. */
  readonly signal: AbortSignal
}

export type Run = { readonly seed: string; readonly seconds: number; readonly observed: Observed; readonly verdict: Verdict }

export const BOUND_MILLIS = 250
const TELL_EVERY_MILLIS = 10_000

/** Left to itself V8 collects when it likes, and a process grows for minutes though it holds nothing more. */
const COLLECTING = ['--expose-gc', '--import', `data:text/javascript,${encodeURIComponent('setInterval(() => gc(), 5000).unref()')}`]

export async function runSoak(options: RunOptions): Promise<Run> {
  const closing = new Closing()
  try {
    options.say('Starting PostgreSQL, Redis and three services …')
    return await soak(await startWorld(options.from, closing), options, closing)
  } finally {
    await closing.close()
  }
}

async function startWorld(from: From, closing: Closing) {
  const postgres = await startOwnPostgres()
  closing.add(() => postgres.close())
  const redis = await ownRedis()
  closing.add(() => redis.close())
  const secrets = newSecrets()
  const ports = { registry: String(await stablePort()), exchange: String(await stablePort()), check: String(await stablePort()) }
  const each = { registry: { METRICS_PORT: ports.registry }, exchange: { METRICS_PORT: ports.exchange }, check: { METRICS_PORT: ports.check } }
  // Small caches are full soon: what grows after that is no cache.
  const environment = { LOG_LEVEL: 'warn', CACHE_MEGABYTES: '2', STALENESS_BOUND_MILLIS: String(BOUND_MILLIS) }
  const processes = await startProcesses({ ...postgres, redisUrl: redis.url, secrets, from, environment, each, nodeOptions: COLLECTING })
  closing.add(() => processes.close())
  const admin = newAdmin()
  await bootstrap(processes.addresses, { credential: secrets.bootstrapCredential }, admin)
  const { registry, exchange, check } = processes
  const watched = Object.entries({ registry, exchange, check }).map(([name, process]) => ({ name, process }))
  return { postgres, redis, admin, addresses: processes.addresses, watched: watched.map((one, place) => ({ ...one, metricsPort: Object.values(ports)[place] ?? '' })) }
}

type World = Awaited<ReturnType<typeof startWorld>>

async function soak({ postgres, redis, admin, addresses, watched }: World, { seed, millis, say, signal }: RunOptions, closing: Closing): Promise<Run> {
  const [work, asked, disturbances]: [Work[], Asked[], Disturbance[]] = [[], [], []]
  const traffic = await startTraffic({ addresses, admin, boundMillis: BOUND_MILLIS, note: (one) => void asked.push(one) })
  closing.add(() => traffic.close())
  const looking = watch(watched)
  closing.add(() => looking.stop())
  const note = (one: Disturbance) => void disturbances.push(one)
  closing.add(watchMachine(note))
  const began = monotonicMillis()
  const over = endOf(millis, signal)
  const telling = setInterval(() => say(progress({ work, disturbances, seconds: (monotonicMillis() - began) / 1_000 })), TELL_EVERY_MILLIS)
  const load = openLoop(traffic.streams, (outcome) => void work.push(workOf(outcome)))
  const plan = { random: randomOf(seed), everyMillis: [3_000, Math.min(15_000, millis / 6)], peaceMillis: Math.min(240_000, millis / 2), endsAt: began + millis } as const
  await disturb({ postgres, redis, services: watched.map(({ process }) => process) }, plan, { over, note })
  await sleep(Math.max(0, began + millis - monotonicMillis()), undefined, { signal: over }).catch(() => undefined)
  clearInterval(telling)
  await load.stop()
  const observed = { boundMillis: BOUND_MILLIS, work, asked, disturbances, lives: looking.lives() }
  return { seed, seconds: (monotonicMillis() - began) / 1_000, observed, verdict: judge(observed) }
}

/** By timer and listener: what AbortSignal.any and AbortSignal.timeout make can be collected before its time (Node 20). */
function endOf(millis: number, signal: AbortSignal): AbortSignal {
  const ending = new AbortController()
  const timer = setTimeout(() => ending.abort(), millis)
  const onAbort = () => {
    clearTimeout(timer)
    ending.abort()
  }
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  return ending.signal
}

function workOf({ name: stream, due: sent, millis, error }: Outcome): Work {
  if (error === undefined) return { stream, sent, millis }
  if (error instanceof DomainError) return { stream, sent, millis, error: { kind: error.kind, text: `${error.kind} ${error.reason}` } }
  return { stream, sent, millis, error: { kind: 'a failure of the harness', text: answerOf(error) } }
}

function progress({ work, disturbances, seconds }: { readonly work: readonly Work[]; readonly disturbances: readonly Disturbance[]; readonly seconds: number }): string {
  const failed = work.filter(({ error }) => error !== undefined).length
  const last = disturbances.at(-1)
  return `${seconds.toFixed(0).padStart(5)} s  ${work.length} calls, ${failed} failed${last ? `  last: ${last.kind} of ${last.target}` : ''}`
}
