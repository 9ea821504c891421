import type { Fleet, Member } from '../support/fleet.js'
import type { Random } from './random.js'
import type { World } from './world.js'

/** Something that is broken for a while. Two that share a resource are never active at once. */
export type Fault = {
  readonly kind: string
  readonly target: string
  readonly resources: readonly string[]
  begin(): Promise<void> | void
  end(): Promise<void> | void
}

/** How a kind of fault is made, and how often. Undefined where it can't be made now. */
export type FaultKind = {
  readonly weight: number
  readonly millis: readonly [number, number]
  /** Whether it can't be active together with others. */
  readonly isAlone?: boolean
  readonly make: (world: World, random: Random) => Fault | undefined
}

const SHORT = [300, 1_200] as const
const LONG = [600, 2_500] as const

export const processFaults: readonly FaultKind[] = [
  { weight: 3, millis: SHORT, make: (world, random) => killed(memberOf(world.fleet, random)) },
  { weight: 3, millis: LONG, make: (world, random) => stopped(memberOf(world.fleet, random)) },
  { weight: 1, millis: SHORT, make: ({ fleet }, random) => restarted(random.pick(fleet.checks)) },
  { weight: 0.6, millis: SHORT, make: ({ postgres }) => ({ kind: 'postgres-kill', target: 'postgres', resources: ['postgres'], begin: () => postgres.kill9(), end: () => postgres.restart() }) },
  { weight: 1, millis: LONG, make: ({ postgres }) => ({ kind: 'postgres-stop', target: 'postgres', resources: ['postgres'], begin: () => postgres.pause(), end: () => postgres.resume() }) },
  { weight: 1, millis: SHORT, make: ({ redis }) => ({ kind: 'redis-kill', target: 'redis', resources: ['redis'], begin: () => killedRedis(redis), end: () => redis.restart() }) },
  { weight: 1, millis: LONG, make: ({ redis }) => ({ kind: 'redis-stop', target: 'redis', resources: ['redis'], begin: () => redis.kill('SIGSTOP'), end: () => redis.kill('SIGCONT') }) },
]

async function killedRedis(redis: World['redis']): Promise<void> {
  redis.kill('SIGKILL')
  await redis.exited()
}

const everybody = ({ registries, exchanges, checks }: Fleet): readonly Member[] => [...registries, ...exchanges, ...checks]

const memberOf = (fleet: Fleet, random: Random): Member | undefined => random.pick(everybody(fleet))

function killed(member: Member | undefined): Fault | undefined {
  if (!member) return undefined
  const { name, process } = member
  return {
    kind: 'kill',
    target: name,
    resources: [name],
    async begin() {
      process.kill('SIGKILL')
      await process.ended()
    },
    end: () => startedAgain(process),
  }
}

/** What it takes to start is the machine's business: the fault ends when it is there. */
async function startedAgain(process: Member['process']): Promise<void> {
  process.start()
  await process.ready()
}

function stopped(member: Member | undefined): Fault | undefined {
  if (!member) return undefined
  const { name, process } = member
  return { kind: 'stop', target: name, resources: [name], begin: () => process.kill('SIGSTOP'), end: () => process.kill('SIGCONT') }
}

/** As in a deployment: it drains, ends, and comes back knowing nothing. */
function restarted(member: Member | undefined): Fault | undefined {
  if (!member) return undefined
  const { name, process } = member
  return { kind: 'restart', target: name, resources: [name], begin: () => process.stop(), end: () => startedAgain(process) }
}

/** What can be done to one way from one to another. */
const ways = {
  delay: (random: Random) => {
    const millis = random.chance(0.5) ? random.between(20, 55) : random.between(100, 400)
    return { what: `delay ${millis} ms`, become: 'delay', millis } as const
  },
  cut: () => ({ what: 'cut', become: 'cut', millis: 0 }) as const,
  blackhole: () => ({ what: 'blackhole', become: 'blackhole', millis: 0 }) as const,
  'half-open': (random: Random) => ({ what: 'half-open', become: random.chance(0.5) ? 'toTarget' : 'toClient', millis: 0 }) as const,
}

type WayKind = keyof typeof ways

function spoilt({ fleet }: World, random: Random, { kind, edges, target }: { kind: WayKind; edges: readonly string[]; target: string }): Fault {
  const { become, millis } = ways[kind](random)
  return {
    kind: edges.length > 1 ? `partition-${kind}` : kind,
    target: millis === 0 ? target : `${target} by ${millis} ms`,
    resources: edges,
    begin: () => {
      for (const proxy of edges.map((edge) => fleet.edge(edge))) {
        if (become === 'delay') proxy.delay(millis, millis / 4)
        else if (become === 'cut') proxy.cut()
        else if (become === 'blackhole') proxy.blackhole()
        else proxy.halfOpen(become)
      }
    },
    end: () => {
      for (const edge of edges) fleet.edge(edge).pass()
    },
  }
}

const KINDS = ['delay', 'cut', 'blackhole', 'half-open'] as const

export const wayFaults: readonly FaultKind[] = [
  ...KINDS.map((kind): FaultKind => ({ weight: 2, millis: LONG, make: (world, random) => oneWay(world, random, kind) })),
  ...KINDS.map((kind): FaultKind => ({ weight: 2, millis: LONG, make: (world, random) => fromOwner(world, random, kind) })),
  { weight: 1, millis: LONG, make: slowRedis },
]

function oneWay(world: World, random: Random, kind: WayKind): Fault | undefined {
  const edge = random.pick(world.fleet.edges)
  return edge && spoilt(world, random, { kind, edges: [edge.name], target: edge.name })
}

/** One replica of authorization-check, or of auth-exchange, from all of an owner at once: no other replica helps it. */
function fromOwner(world: World, random: Random, kind: WayKind): Fault | undefined {
  const { checks, relays, exchanges, registries } = world.fleet
  const check = random.pick(random.chance(0.8) ? checks : exchanges)
  if (!check) return undefined
  const owner = exchanges.includes(check) || random.chance(0.5) ? registries : exchanges
  // A sidecar's feeds come from the relays: away from them it follows nothing.
  const isSidecar = !relays.includes(check) && checks.includes(check)
  const away = isSidecar && random.chance(0.5) ? relays : owner
  const edges = away.map(({ name }) => `${check.name} → ${name}`)
  return spoilt(world, random, { kind, edges, target: `${check.name} from ${away === relays ? 'relays' : owner === registries ? 'registry' : 'exchange'}` })
}

/** Too slow for anybody to wait for. */
function slowRedis(world: World, random: Random): Fault {
  const edges = world.fleet.edges.map(({ name }) => name).filter((name) => name.endsWith('→ redis'))
  return { ...spoilt(world, random, { kind: 'delay', edges, target: 'redis' }), kind: 'redis-slow' }
}
