import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { settle } from '../../test/support/hand-feed.js'
import { type Edit, KEYS, Network, Owner } from '../../test/support/one-owner.js'
import { type Asked, type HostileStore, Replica } from '../../test/support/one-replica.js'

// The replica's state machine, of the real parts, against everything that may happen to it. A failure prints the seed and
// the path that show it again: fc.assert(..., { seed, path }).

class World {
  readonly network = new Network()
  readonly owner = new Owner(() => this.time, this.network)
  readonly store: HostileStore = new Map()
  readonly replicas: readonly [Replica, Replica]
  readonly broken: unknown[] = []
  time = 1_000_000

  constructor() {
    const outside = { owner: this.owner, network: this.network, store: this.store, time: () => this.time }
    this.replicas = [new Replica(outside), new Replica(outside)]
  }

  ask(which: number, asked: Asked): void {
    const replica = this.replicas[which % 2] ?? this.replicas[0]
    // More would only wait for the same.
    if (replica.asking < 4) replica.ask(asked).catch((broken: unknown) => this.broken.push(broken))
  }
}

class Step implements fc.AsyncCommand<object, World> {
  constructor(private readonly text: string, private readonly does: (world: World) => Promise<void> | void) {}

  check(): boolean {
    return true
  }

  async run(_model: object, world: World): Promise<void> {
    await this.does(world)
    await settle()
    expect(world.broken).toEqual([])
  }

  toString(): string {
    return this.text
  }
}

/** What is on its way arrives, and so does what that causes. */
async function arriveAll(network: Network, choice: number): Promise<void> {
  for (let left = 200; left > 0 && network.messages.length > 0; left -= 1) {
    network.deliver(0, choice)
    await settle()
  }
}

const small = fc.nat(7)
const key = fc.constantFrom(...KEYS)
const millis = fc.constantFrom(1, 20, 50, 51, 100, 124, 126, 240, 251, 400, 1_100)
const level = fc.constantFrom('bounded' as const, 'bounded' as const, 'full' as const, 'at-least' as const, 'at-least' as const, 'made-up' as const)
const asked: fc.Arbitrary<Asked> = fc.record({ key, level, revision: fc.oneof(fc.constant(0), small, fc.nat(40)) })
const edit: fc.Arbitrary<Edit> = fc.record({ kind: fc.constantFrom('change' as const, 'change' as const, 'change' as const, 'all' as const, 'delete' as const), key })

const ask = fc.tuple(small, asked).map(([which, it]) => new Step(`ask ${which % 2} ${JSON.stringify(it)}`, (world) => world.ask(which, it)))
const deliver = fc.tuple(fc.oneof(fc.constant(0), small), small).map(([place, choice]) => new Step(`deliver ${place} ${choice}`, ({ network }) => network.deliver(place, choice)))
const deliverAll = small.map((choice) => new Step(`deliver all ${choice}`, ({ network }) => arriveAll(network, choice)))
const pass = millis.map((by) => new Step(`pass ${by}`, (world) => void (world.time += by)))
const tick = small.map((which) => new Step(`tick ${which % 2}`, ({ replicas }) => replicas[which % 2]?.tick()))
const commit = edit.map((it) => new Step(`commit ${JSON.stringify(it)}`, ({ owner }) => owner.commit(it)))
const begin = edit.map((it) => new Step(`begin ${JSON.stringify(it)}`, ({ owner }) => owner.begin(it)))
const finish = small.map((place) => new Step(`finish ${place}`, ({ owner }) => owner.finish(place)))
const hint = small.map((which) => new Step(`hint ${which % 2}`, ({ replicas }) => replicas[which % 2]?.hint()))
const lose = fc.tuple(small, fc.boolean()).map(([place, hangs]) => new Step(`lose ${place}${hangs ? ', it hangs' : ''}`, ({ network }) => network.lose(place, hangs)))
const failover = small.map((back) => new Step(`fail over, ${back} states back`, ({ owner }) => owner.failover(back)))
const prune = small.map((keep) => new Step(`prune to ${keep}`, ({ owner }) => owner.prune(keep)))
const bound = fc.constantFrom(100, 250, 1_000).map((by) => new Step(`B is ${by}`, ({ owner }) => owner.setBound(by)))
// One machine is suspended, the clock of the other is set: of both at once no clock of a machine could tell.
const suspend = millis.map((by) => new Step(`suspend 0 for ${by}`, (world) => {
  world.time += by
  world.replicas[0].suspended += by
}))
const setWall = fc.tuple(millis, fc.boolean()).map(([by, back]) => new Step(`set the clock of 1 by ${back ? -by : by}`, ({ replicas }) => void (replicas[1].stepped += back ? -by : by)))

// Twice and more: what has to happen often for anything else to matter.
const steps = [ask, ask, ask, deliver, deliver, deliver, deliverAll, deliverAll, tick, tick, commit, commit, pass, pass, begin, finish, hint, lose, failover, prune, bound, suspend, setWall]

/** The network heals, and nobody may have been forgotten. */
async function heal(world: World): Promise<void> {
  for (let round = 0; round < 60; round += 1) {
    for (const replica of world.replicas) replica.tick()
    await arriveAll(world.network, 0)
    world.time += 50
  }
  expect(world.broken).toEqual([])
  expect(world.replicas.map(({ asking }) => asking)).toEqual([0, 0])
}

const seen = new Map<string, number>()
function count(world: World): void {
  for (const outcome of world.replicas.flatMap(({ outcomes }) => outcomes)) seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
}

describe('a replica, whatever happens to it', () => {
  // Nothing is answered beyond B after it ceased to be true; at-least reflects its revision and full every commit before
  // the call; a replica never goes back; only what never comes back is refused without a lease; nothing waits for ever.
  // Seen to fail without each of the rules that test/freshness/README.md says so of.
  it('keeps every promise', async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(steps, { maxCommands: 120, size: 'max' }), async (commands) => {
        const world = new World()
        await fc.asyncModelRun(() => ({ model: {}, real: world }), commands)
        await heal(world)
        count(world)
      }),
      { numRuns: 200 },
    )
    // A test in which nothing is ever answered would pass.
    expect(seen.get('answered')).toBeGreaterThan(300)
    expect([...seen.keys()]).toEqual(expect.arrayContaining(['LEASE_LAPSED', 'REVISION_AHEAD', 'gone']))
  })

  it('answers when all goes well', async () => {
    const world = new World()
    for (const level of ['bounded', 'full', 'at-least'] as const) for (const which of [0, 1]) world.ask(which, { key: 0, level, revision: 0 })
    await heal(world)
    expect(world.replicas.map(({ outcomes }) => outcomes)).toEqual([Array(3).fill('answered'), Array(3).fill('answered')])
  })
})
