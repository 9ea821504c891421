import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const CLI = ['--conditions=development', '--import', import.meta.resolve('tsx'), fileURLToPath(new URL('../../cli/main.ts', import.meta.url))]

const noteLine = z.looseObject({
  note: z.string().optional(),
  error: z.looseObject({ reason: z.string(), message: z.string() }).optional(),
  tokenId: z.string().optional(),
  origin: z.string().optional(),
  listen: z.string().optional(),
  retryInSeconds: z.number().optional(),
})

export type Note = z.output<typeof noteLine>
export type EndedAgent = { readonly code: number | null; readonly stdout: string; readonly notes: readonly Note[] }

/** `countersign agent --json` as a process of its own. */
export type AgentProcess = {
  readonly notes: () => readonly Note[]
  /** All that it has said so far, wherever. */
  readonly output: () => string
  /** Resolves with the first line that is so, once there is one; rejects when the process ends before. */
  readonly note: (isIt: (note: Note) => boolean) => Promise<Note>
  /** The same, among those that are said from now on. */
  readonly nextNote: (isIt: (note: Note) => boolean) => Promise<Note>
  readonly signal: (signal: NodeJS.Signals) => void
  readonly ended: () => Promise<EndedAgent>
  /** SIGTERM. */
  readonly stop: () => Promise<EndedAgent>
}

type Settings = { readonly folder: string; readonly environment?: Readonly<Record<string, string>>; readonly stdin?: string }

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export function startAgent(args: readonly string[], { folder, environment = {}, stdin = '' }: Settings): AgentProcess {
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, ...environment }
  const child = spawn(process.execPath, [...CLI, 'agent', '--json', ...args], { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'] })
  running.add(child)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  child.stdin.end(stdin)
  const notes = () => stderr.split('\n').slice(0, -1).map((line) => noteLine.parse(JSON.parse(line)))
  const ended = once(child, 'close').then(() => {
    running.delete(child)
    return { code: child.exitCode, stdout, notes: notes() }
  })
  const noteFrom = async (start: number, isIt: (note: Note) => boolean): Promise<Note> => {
    for (;;) {
      const found = notes().slice(start).find(isIt)
      if (found) return found
      const end = await Promise.race([once(child.stderr, 'data').then(() => undefined), ended])
      if (end && !notes().slice(start).some(isIt)) throw new Error(`it ended before: ${stderr}`)
    }
  }
  return {
    notes,
    output: () => stdout + stderr,
    note: (isIt) => noteFrom(0, isIt),
    nextNote: (isIt) => noteFrom(notes().length, isIt),
    signal: (signal) => void child.kill(signal),
    ended: () => ended,
    stop: () => {
      child.kill('SIGTERM')
      return ended
    },
  }
}

/** Ends those that a failed test has left. */
export async function endAgents(): Promise<void> {
  for (const child of running) {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
}

export const obtained = ({ tokenId }: Note): boolean => tokenId !== undefined
export const renewed = ({ origin }: Note): boolean => origin === 'renewal'
export const failedWith = (reason: string) => ({ error }: Note): boolean => error?.reason === reason

export type Answered = { readonly status: number; readonly headers: Readonly<Record<string, unknown>>; readonly body: unknown }

type Asked = { readonly method?: string; readonly headers?: Readonly<Record<string, string>> }

const OUR_HEADER = { 'countersign-agent': 'true' }

/** GET, as an application does it, where nothing else is said; `where` is `host:port` or the path of a socket. */
export function ask(where: string, path: string, { method = 'GET', headers = OUR_HEADER }: Asked = {}): Promise<Answered> {
  const [, port] = /^127\.0\.0\.1:(\d+)$/.exec(where) ?? []
  const place = port === undefined ? { socketPath: where } : { host: '127.0.0.1', port }
  return new Promise((done, fail) => {
    const asked = request({ ...place, path, method, headers, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => done({ status: response.statusCode ?? 0, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }))
    })
    asked.once('error', fail)
    asked.end()
  })
}
