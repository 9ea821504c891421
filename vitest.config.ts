import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

const ssr = { resolve: { conditions: ['development', ...defaultServerConditions], externalConditions: ['node'] } }

// unit: beside the code, pure, no network. system: real Postgres, real gRPC, one cluster for the whole run.
const config = defineConfig({
  test: {
    ...(process.env['VITEST_JSON'] && { reporters: ['default', ['json', { outputFile: process.env['VITEST_JSON'] }]] }),
    projects: [
      // Properties of ten thousand runs take their time on a busy machine.
      { ssr, test: { name: 'unit', testTimeout: 60_000, include: ['libs/**/*.test.ts', 'services/**/*.test.ts', 'cli/**/*.test.ts', 'deploy/**/*.test.ts'] } },
      {
        ssr,
        test: {
          name: 'system',
          include: ['test/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          pool: 'forks',
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})

// vitest reads the default export; nothing else in the house has one.
export { config as default }
