import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type FakeServices, startFakeServices } from './fake-services.js'

const CLI = ['--conditions=development', '--import', import.meta.resolve('tsx'), fileURLToPath(new URL('../../cli/main.ts', import.meta.url))]

export type Outcome = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

type Settings = { readonly env?: Variables; readonly stdin?: string; readonly folder?: string }

type Variables = Readonly<Record<string, string>>
type Seen = { readonly screen: string; readonly code: number | null }
type Typing = { readonly prompt: string; readonly keys: string }

export type Operator = {
  readonly services: FakeServices
  /** A folder with `.countersign/` in it, as `npm start` leaves it. */
  readonly folder: string
  /** Runs the command line in the folder. */
  run(line: string | readonly string[], settings?: Settings): Promise<Outcome>
  /** The same, for --json. */
  json(line: string | readonly string[], settings?: Settings): Promise<unknown>
  /** At a terminal of its own; `keys` are typed once the screen shows `prompt`. */
  atTerminal(args: readonly string[], typing?: Typing, env?: Variables): Promise<Seen>
  path(name: string): string
  read(name: string): string
  write(name: string, text: string, mode?: number): string
  mode(name: string): string
  leave(): void
}

/** Somebody at a terminal, beside services that run. */
export async function newOperator(): Promise<Operator> {
  const services = await startFakeServices()
  const folder = mkdtempSync(join(tmpdir(), 'countersign-cli-'))
  const path = (name: string) => join(folder, name)
  const write = (name: string, text: string, mode = 0o600) => {
    writeFileSync(path(name), text, { mode })
    return path(name)
  }
  const { address, world } = services
  mkdirSync(path('.countersign'), { mode: 0o700 })
  const admin = path('.countersign/admin.json')
  write('.countersign/addresses.json', JSON.stringify({ http: null, registry: address, exchange: address, check: address, admin }))
  write('.countersign/admin.json', JSON.stringify({ organizationId: world.organizationId, ...world.admin }))
  const run: Operator['run'] = (line, settings = {}) =>
    runNode([...CLI, ...(typeof line === 'string' ? line.split(' ') : line)], { ...settings, folder: settings.folder ?? folder }, folder)
  return {
    services,
    folder,
    run,
    path,
    write,
    json: async (line, settings) => {
      const outcome = await run([...(typeof line === 'string' ? line.split(' ') : line), '--json'], settings)
      if (outcome.code !== 0) throw new Error(`exit ${outcome.code}: ${outcome.stderr}`)
      return JSON.parse(outcome.stdout)
    },
    atTerminal: (args, typing, env = {}) => runAtTerminal([...CLI, ...args], typing, { env, folder }),
    read: (name) => readFileSync(path(name), 'utf8'),
    mode: (name) => (statSync(path(name)).mode & 0o777).toString(8),
    leave: () => {
      services.stop()
      rmSync(folder, { recursive: true })
    },
  }
}

/** HOME is a folder of the test: nothing of whoever runs the tests is read or written. */
function runNode(args: readonly string[], { env = {}, stdin, folder }: Settings, home: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const environment = { PATH: process.env['PATH'] ?? '', HOME: home, ...env }
    const child = spawn(process.execPath, args, { cwd: folder, env: environment, stdio: ['pipe', 'pipe', 'pipe'] })
    const text = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk: Buffer) => (text.stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...text }))
    child.stdin.end(stdin ?? '')
  })
}

/** script(1) of util-linux gives its child a terminal. */
function runAtTerminal(args: readonly string[], typing: Typing | undefined, { env, folder }: { env: Variables; folder: string }): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const line = [process.execPath, ...args].map((word) => `'${word}'`).join(' ')
    const environment = { PATH: process.env['PATH'] ?? '', HOME: folder, TERM: 'xterm', ...env }
    const options = ['--quiet', '--return', '--command', line, '/dev/null']
    const child = spawn('script', options, { cwd: folder, env: environment, stdio: ['pipe', 'pipe', 'inherit'] })
    let screen = ''
    let awaited = typing
    child.stdout.on('data', (chunk: Buffer) => {
      screen += chunk.toString()
      if (awaited === undefined || !screen.includes(awaited.prompt)) return
      child.stdin.write(awaited.keys)
      awaited = undefined
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ screen, code }))
  })
}
