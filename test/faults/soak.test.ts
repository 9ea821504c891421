import { expect, it } from 'vitest'
import { report } from '../soak/report.js'
import { runSoak } from '../soak/run.js'

// `npm run soak` in a short form: too short to see anything grow, long enough for the rest. That it can fail is shown in
// test/soak/judge.test.ts.

it('answers rightly in ordinary trouble, and fails no call that no trouble explains', { timeout: 180_000 }, async () => {
  const run = await runSoak({ seed: '5', millis: 20_000, from: 'dist', say: () => undefined, signal: new AbortController().signal })
  const told = report(run)
  process.stdout.write(`${told.split('\n').at(-1)}\n`)
  expect(run.verdict.faults, told).toEqual([])
  expect(run.observed.asked.length).toBeGreaterThan(200)
  expect(run.observed.asked.filter(({ revoked }) => revoked !== undefined).length).toBeGreaterThan(5)
  expect(run.observed.disturbances.filter(({ kind }) => kind !== 'starved').length).toBeGreaterThanOrEqual(2)
  expect(run.observed.lives.every(({ samples }) => samples.some(({ loopDelayMillis }) => loopDelayMillis !== undefined))).toBe(true)
})
