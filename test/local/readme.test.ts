import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalSystem, startLocal } from '../support/local-system.js'
import { type ScratchDirectory, scratchDirectory } from '../support/scratch-directory.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')

let scratch: ScratchDirectory
let system: LocalSystem
let registry: string

beforeAll(async () => {
  scratch = await scratchDirectory()
  system = startLocal(join(scratch.path, '.countersign'))
  registry = (await system.ready()).registry
})
afterAll(async () => {
  await system.stop()
  await scratch.remove()
})

/** The commands of a block of the README, comments left out. */
function commandsAfter(text: string): string[] {
  const [, block = ''] = /```sh\n([^`]+)```/.exec(readme.slice(readme.indexOf(text))) ?? []
  return block.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

/** Runs a line as it is written, in a folder of its own; npx finds there what it would find in the repository. */
function run(line: string): { status: number | null; output: string } {
  const npx = `npx() { local name="$1"; shift; case "$name" in
    countersign) node '${join(root, 'cli/countersign.js')}' "$@" ;;
    *) '${join(root, 'node_modules/.bin')}'/"$name" "$@" ;; esac; }`
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `${npx}\n${line.replace('127.0.0.1:50051', registry)}`], { cwd: scratch.path, encoding: 'utf8' })
  return { status, output: stdout + stderr }
}

describe('the commands of the README, run as they are written', () => {
  it('take a workload through the four steps: one check is allowed, one is denied, each with its reason', () => {
    const commands = commandsAfter('## The four steps')
    expect(commands).toHaveLength(6)
    const outcomes = commands.map(run)
    expect(outcomes.map(({ status }) => status), JSON.stringify(outcomes)).toEqual([0, 0, 0, 0, 0, 1])
    expect(outcomes[4]?.output).toContain('allowed: rule 0 of role viewer allows it')
    expect(outcomes[5]?.output).toContain('denied: no role that billing holds here says anything about delete on secrets')
  })

  it('list the methods of a service through reflection', () => {
    const [command = ''] = commandsAfter('The services answer reflection'.toLowerCase())
    const { status, output } = run(command)
    expect(output).toContain('countersign.registry.v1.IdentityRegistryService/CreateIdentity')
    expect(status).toBe(0)
  })
})
