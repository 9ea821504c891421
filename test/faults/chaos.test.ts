import { expect, it } from 'vitest'
import { runChaos } from '../chaos/run.js'

// `npm run chaos` in a short form: the same world, mutators, askers, faults and checker, from dist as `npm test` built it.
// test/chaos/README.md has the table of what it was seen to find.

const SEED = '11'
const MILLIS = 12_000

it(`never answers wrongly while everything breaks (seed ${SEED})`, { timeout: 120_000 }, async () => {
  const said: string[] = []
  const { line, stories, reached } = await runChaos({
    ...{ seed: SEED, millis: MILLIS, groups: 4, askers: 8, from: 'dist' },
    say: (text) => void said.push(text),
    signal: new AbortController().signal,
  })
  process.stdout.write(`${line}\n`)
  expect(stories, [...said, ...stories].join('\n')).toEqual([])
  expect(reached.mutations).toBeGreaterThan(20)
  expect(reached.faultful).toBeGreaterThan(10)
  expect(reached.requests).toBeGreaterThan(100)
  expect(reached.revoked).toBeGreaterThan(0)
  expect(reached.uses).toBeGreaterThan(0)
})
