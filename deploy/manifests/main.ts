import { lintManifests } from './lint-manifests.js'
import { findRenderer } from './render.js'

// `npm run lint:manifests`: renders every overlay, and production with each component, and prints what is wrong with them.

const say = (line: string) => void process.stdout.write(`${line}\n`)

try {
  process.exitCode = await lintManifests(await findRenderer(process.env, say), process.env['CI'] === 'true', say)
} catch (error) {
  process.stderr.write(`The manifests can't be linted. ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
