import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Step, steps } from '../support/escalation-steps.js'
import { expectSame, newCounts, newWorld, type World } from '../support/escalation-world.js'
import { type RegistryHandlers, registryHandlers } from '../support/registry-handlers.js'

// Over random sequences of calls by several identities, each of which may call every method, nobody ever gains what the one
// who made the change did not hold just before it, unless that one has `grant`. Real handlers on a real PostgreSQL, held to a
// model that knows nothing of proofs. To try more, or the same again:
// ESCALATION_RUNS=3000 ESCALATION_SEED=7 npx vitest run --project system test/identity-registry/escalation-model.test.ts

const RUNS = Number(process.env.ESCALATION_RUNS ?? 300)
const SEED = Number(process.env.ESCALATION_SEED ?? fc.sample(fc.noBias(fc.nat()), 1)[0])

let handlers: RegistryHandlers

beforeAll(async () => {
  handlers = await registryHandlers()
})
afterAll(() => handlers.close())

class StepCommand implements fc.AsyncCommand<object, World> {
  constructor(private readonly step: Step) {}
  check = () => true
  run = async (_none: object, world: World) => this.step.run(world)
  toString = () => this.step.name
}

it(`nobody ever gains what those who gave it did not hold, over ${RUNS} sequences`, async () => {
  const counts = newCounts()
  process.stdout.write(`escalation model: seed ${SEED}\n`)
  const sequences = fc.commands(steps.map((step) => step.map((one) => new StepCommand(one))), { maxCommands: 25, size: 'max' })
  await fc.assert(
    fc.asyncProperty(sequences, async (commands) => {
      const world = await newWorld(handlers, counts)
      await fc.asyncModelRun(() => ({ model: {}, real: world }), commands)
      await expectSame(world)
    }),
    { numRuns: RUNS, seed: SEED, endOnFailure: false },
  )
  process.stdout.write(`escalation model: ${JSON.stringify(counts)}\n`)
  // So that the guard was asked, said both, and its refusals are mostly for a reason.
  expect(counts.given).toBeGreaterThan(RUNS * 2)
  expect(counts.refused).toBeGreaterThan(RUNS)
  expect(counts.taken).toBeGreaterThan(RUNS / 10)
  expect(counts.notCovered).toBeGreaterThan(RUNS / 10)
}, RUNS * 2_000)
