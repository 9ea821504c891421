import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { measurable, measure, measureProbes } from '../../bench/measure.js'
import { optionsFrom, PROBES, ROWS, UsageError } from '../../bench/options.js'
import { KINDS } from '../../bench/refused-logins.js'
import { published, report, type Run } from '../../bench/report.js'
import { guessedRight, median, percentile } from '../../bench/statistics.js'
import { type BenchSystem, startBenchSystem } from '../../bench/system.js'
import { type FreshDatabase, freshDatabase } from '../support/postgres.js'

const ROW_NAMES = ['echo', 'check.warm', 'check.ext_authz', 'check.redis', 'check.cold', 'login.warm', 'login.single', 'peer.oidc-provider.token', 'renew', 'introspect', 'peer.oidc-provider.introspect', 'envoy.direct', 'envoy.checked']

describe('statistics', () => {
  it.each([[[3], 3], [[5, 1, 3], 3], [[4, 1, 3, 2], 2.5]])('takes the median of %j: %s', (values, middle) => expect(median(values)).toBe(middle))

  it.each([[0.5, 51], [0.99, 100], [1, 100]])('takes the percentile %s of 1 to 100: %s', (share, value) => {
    const values = Array.from({ length: 100 }, (_one, at) => 100 - at)
    expect(percentile(values, share)).toBe(value)
  })

  it.each([[[1, 2], [1, 2], 0.5], [[1, 2], [3, 4], 1], [[3, 4], [1, 2], 1], [[1, 3], [2, 4], 0.75]])('tells %j from %j rightly so often: %s', (ones, others, share) => {
    expect(guessedRight(ones, others)).toBe(share)
  })
})

describe('options', () => {
  const rowsOf = (...args: string[]) => optionsFrom(args).rows.map(({ name }) => name)

  it('measures every row unless told which, and always the one that the others are compared with', () => {
    expect(rowsOf()).toEqual(ROW_NAMES)
    expect(rowsOf('login.warm', '--quick')).toEqual(['echo', 'login.warm'])
  })

  it('takes the number of rounds', () => expect(optionsFrom(['--quick', '--rounds', '2']).plan.rounds).toBe(2))

  it.each([[['check.hot']], [['--rounds', '0']], [['--rounds=many']], [['--fast']]])('refuses %j', (args) => {
    expect(() => optionsFrom(args)).toThrow(UsageError)
  })
})

describe('a run', () => {
  let database: FreshDatabase
  let system: BenchSystem
  let run: Run

  beforeAll(async () => {
    database = await freshDatabase()
    system = await startBenchSystem({ ...database, redisUrl: inject('redisUrl'), from: 'source', workloads: 2 })
    const plan = { rounds: 2, inFlight: 4, warmUp: { calls: 5, millis: 1_000 }, phaseMillis: 100, probes: { samples: 2, millis: 500, restMillis: 600 } }
    const { rows, leftOut } = await measurable(ROWS)
    const measured = await measure(system, rows, plan, () => undefined)
    run = { measured, leftOut, probed: await measureProbes(system, PROBES, plan.probes, () => undefined) }
  }, 180_000)
  afterAll(async () => {
    await system.close()
    await database.drop()
  })

  it('publishes every row, with figures that can be', () => {
    const { machine, load, rows } = published(run, { before: 0.5, after: 1 })

    expect(Object.keys(machine)).toEqual(['cpu', 'cores', 'node', 'platform'])
    expect(load).toEqual({ before: 0.5, after: 1 })
    const names = ['cpuMicros', 'ratioToEcho', 'p50Millis', 'p99Millis', 'perSecond']
    const timing = [...KINDS.map((kind) => `${kind}Micros`), 'largestDifferenceMicros', 'largestDifferencePercent', 'guessedRightPercent']
    const probes = [['p50Millis', 'p99Millis', 'maxMillis'], ['succeededPercent', 'quietP99Millis', 'p99Millis', 'failuresPerSecond'], timing, ['replicaCpuMillisPerSecond', 'ownersCpuMillisPerSecond'], ['startMillis', 'startedRssMegabytes', 'rssMegabytes', 'idleCpuMillisPerSecond', 'relayCpuMicrosPerPull'], ...Array.from({ length: 4 }, () => ['nanos', 'ratioToCasl'])]
    const measured = ROW_NAMES.filter((name) => !run.leftOut.some((one) => one.name === name))
    expect(rows.map(({ name }) => name)).toEqual([...measured, 'revocation', 'login.flood', 'login.timing', 'freshness.pull', 'sidecar', 'rules.20x10', 'peer.casl.20x10', 'rules.500', 'rules.compile'])
    expect(rows.map((row) => Object.keys(row))).toEqual([...measured.map(() => names), ...probes].map((keys) => ['name', ...keys]))
    for (const { name, ...figures } of rows) {
      for (const value of Object.values(figures)) expect(value, String(name)).toBeGreaterThan(0)
    }
    expect(rows[0]?.ratioToEcho).toBe(1)
  })

  it('leaves out what this machine has no program for, and says why', async () => {
    const [echo, ...others] = ROWS
    const without = { ...echo, name: 'envoy.none', missing: async () => 'there is no Envoy' }
    const { rows, leftOut } = await measurable([echo, without, ...others.slice(0, 1)])
    expect(rows.map(({ name }) => name)).toEqual(['echo', 'check.warm'])
    expect(report({ ...run, leftOut }, published(run, { before: 0, after: 0 }))).toMatch(/^envoy\.none is left out: there is no Envoy$/m)
    // In CI it is a failure elsewhere; here each row is there, or said to be missing.
    expect(run.measured.length + run.leftOut.length).toBe(ROWS.length)
  })

  it('says in words what was measured, on what, and what that is worth', () => {
    const text = report(run, published(run, { before: 3, after: 1 }))

    expect(text).toContain('WARNING: the machine was busy')
    expect(text).toMatch(/^check\.warm +\d+\.\d +\d+\.\d +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d +\d+$/m)
    expect(text).toMatch(/^check\.warm, CPU µs per call of all: authorization-check \d+ \+ auth-exchange \d+ \+ identity-registry \d+ .* = \d+ /m)
    expect(text).toMatch(/^login\.warm ≤ 178 µs in the end: (not )?met$/m)
    expect(report(run, published(run, { before: 0.9, after: 3 }))).not.toContain('WARNING')
  })
})
