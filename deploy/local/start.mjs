// `npm start`: builds what changed, then runs the system in this same process, so that a signal to it reaches it.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = (...args) => execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] })
try {
  run('proto/generate.mjs')
  run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json')
} catch {
  process.stderr.write('countersign could not be built. Run `npm ci` and try again.\n')
  process.exit(1)
}
await import(new URL('../../dist/deploy/local/main.js', import.meta.url).href)
