import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from './planted-tree.js'

/** What a tool printed, on both streams, and what it exited with. */
export type Outcome = { readonly code: number; readonly output: string }

/** Runs a tool of this house's node_modules in a directory. */
export function runTool(directory: string, tool: string, ...given: readonly string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    execFile(join(ROOT, 'node_modules/.bin', tool), given, { cwd: directory, env: { ...process.env, NO_COLOR: '1' } }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code
      if (typeof code === 'number') resolve({ code, output: stdout + stderr })
      else reject(error ?? new Error(`${tool} did not exit`))
    })
  })
}
