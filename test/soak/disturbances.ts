import { setTimeout as sleep } from 'node:timers/promises'
import { monotonicMillis } from '#libs/clock.js'
import { withClient } from '../../deploy/local/service-databases.js'
import type { Random } from '../chaos/random.js'
import { isStarved } from '../support/busy-machine.js'
import type { OwnPostgres } from '../support/own-postgres.js'
import type { Process } from '../support/processes.js'
import type { OwnRedis } from '../support/redis.js'
import type { Disturbance } from './observed.js'

// What happens to every installation now and then. test/chaos has the rest.

type Kind = { readonly kind: string; readonly target: string; readonly weight: number; readonly disturb: () => Promise<void> }

export type Disturbed = { readonly postgres: OwnPostgres; readonly redis: OwnRedis; readonly services: readonly Process[] }

export type Plan = {
  readonly random: Random
  /** How long there is between two, at least and at most. */
  readonly everyMillis: readonly [number, number]
  /** A process that was killed is left in peace for so long, so that there is a life to look at. */
  readonly peaceMillis: number
  readonly endsAt: number
}

/** Disturbs one thing after the other until it is over, and notes each when it is there again. */
export async function disturb(disturbed: Disturbed, plan: Plan, { over, note }: { over: AbortSignal; note: (one: Disturbance) => void }): Promise<void> {
  const killed = new Map<string, number>()
  const { random, everyMillis, peaceMillis, endsAt } = plan
  for (;;) {
    await sleep(random.between(...everyMillis), undefined, { signal: over }).catch(() => undefined)
    if (over.aborted) return
    const from = monotonicMillis()
    const mayBeKilled = ({ name }: Process) => from + peaceMillis < endsAt && from - (killed.get(name) ?? -Infinity) > peaceMillis
    const service = random.pick(disturbed.services.filter(mayBeKilled))
    const chosen = random.weighted([...kindsOf(disturbed, random), ...(service ? [killOf(service)] : [])])
    if (!chosen) continue
    const { kind, target } = chosen
    if (kind === 'kill') killed.set(target, from)
    await chosen.disturb()
    note({ kind, target, from, to: monotonicMillis() })
  }
}

const killOf = (service: Process): Kind => ({
  kind: 'kill',
  target: service.name,
  weight: 3,
  async disturb() {
    service.kill('SIGKILL')
    await service.ended()
    service.start()
    await service.ready()
  },
})

const kindsOf = ({ postgres, redis }: Disturbed, random: Random): Kind[] => [
  { kind: 'flush', target: 'redis', weight: 1, disturb: () => redis.flush() },
  {
    kind: 'kill',
    target: 'redis',
    weight: 1,
    async disturb() {
      redis.kill('SIGKILL')
      await redis.exited()
      await sleep(random.between(200, 1_000))
      await redis.restart()
    },
  },
  { kind: 'connections cut', target: 'postgres', weight: 2, disturb: () => cutSome(postgres, random) },
]

/** Some of the services' connections, whatever they are at. */
async function cutSome({ superuserUrl }: OwnPostgres, random: Random): Promise<void> {
  await withClient(superuserUrl, async (client) => {
    const { rows } = await client.query<{ pid: number }>("select pid from pg_stat_activity where application_name = 'countersign' order by pid")
    for (const { pid } of rows) if (random.chance(0.5)) await client.query('select pg_terminate_backend($1)', [pid])
  })
}

/** Notes when the machine has no time for us: then errors are not ours. */
export function watchMachine(note: (one: Disturbance) => void): () => void {
  const timer = setInterval(() => {
    if (isStarved()) note({ kind: 'starved', target: 'machine', from: monotonicMillis() - 1_000, to: monotonicMillis() })
  }, 1_000)
  return () => clearInterval(timer)
}
