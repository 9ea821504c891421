import { availableParallelism } from 'node:os'
import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

const ssr = { resolve: { conditions: ['development', ...defaultServerConditions], externalConditions: ['node'] } }

// What breaks and measures things, or drives many processes of its own: a neighbour's work would be taken for its own slowness.
const ALONE = ['test/faults/**/*.test.ts', 'test/soak/**/*.test.ts', 'test/bench/**/*.test.ts', 'test/chaos/**/*.test.ts', 'test/upgrade/**/*.test.ts', 'test/envoy/**/*.test.ts', 'test/redis/**/*.test.ts']

const system = {
  globalSetup: ['test/support/global-setup.ts'],
  pool: 'forks' as const,
  testTimeout: 60_000,
  hookTimeout: 120_000,
}

// unit: beside the code, pure, no network. system: real Postgres, real gRPC, one cluster for the whole run; a file for each
// core at a time. alone: as system, one file at a time, after the others.
const config = defineConfig({
  test: {
    ...(process.env['VITEST_JSON'] && { reporters: ['default', ['json', { outputFile: process.env['VITEST_JSON'] }]] }),
    projects: [
      // Properties of ten thousand runs take their time on a busy machine.
      { ssr, test: { name: 'unit', testTimeout: 60_000, include: ['libs/**/*.test.ts', 'services/**/*.test.ts', 'cli/**/*.test.ts', 'deploy/**/*.test.ts'], maxWorkers: availableParallelism() } },
      { ssr, test: { ...system, name: 'system', include: ['test/**/*.test.ts'], exclude: ALONE, maxWorkers: availableParallelism(), sequence: { groupOrder: 1 } } },
      { ssr, test: { ...system, name: 'alone', include: ALONE, maxWorkers: 1, sequence: { groupOrder: 2 } } },
    ],
  },
})

// vitest reads the default export; nothing else in the house has one.
export { config as default }
