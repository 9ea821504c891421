import { runMigrate } from './run.js'

// `node dist/deploy/database/main.js plan|up|status`, which is also `countersign migrate`: what a Job of a deployment runs.

process.exitCode = await runMigrate(process.argv.slice(2), process.env, {
  out: (text) => void process.stdout.write(text),
  tell: (text) => void process.stderr.write(text),
})
