import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const readyLine = z.strictObject({ http: z.null(), registry: z.string(), exchange: z.string(), check: z.string(), admin: z.string() })

export type Ended = { readonly code: number | null; readonly signal: string | null; readonly stdout: string; readonly stderr: string }

export type LocalSystem = {
  readonly process: ChildProcess
  /** The line of `--json`, once it is there; rejects when the process ends before. */
  ready(): Promise<z.output<typeof readyLine>>
  /** Resolves once standard error says this. */
  says(text: string): Promise<void>
  ended(): Promise<Ended>
  stop(signal?: NodeJS.Signals): Promise<Ended>
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What `npm start -- --json --data DIR` runs, from the sources. */
export function startLocal(dataDir: string, environment: Record<string, string> = {}, ...more: string[]): LocalSystem {
  const ports = { REGISTRY_PORT: '0', EXCHANGE_PORT: '0', CHECK_PORT: '0' }
  const child = spawn(process.execPath, ['--conditions=development', '--import', 'tsx', 'deploy/local/main.ts', '--json', '--data', dataDir, ...more], {
    cwd: root,
    env: { ...process.env, ...ports, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, signal: child.signalCode, stdout, stderr }))
  const until = async (stream: NodeJS.ReadableStream, isThere: () => boolean): Promise<void> => {
    while (!isThere()) {
      const more = await Promise.race([once(stream, 'data').then(() => undefined), ended])
      if (more && !isThere()) throw new Error(`it ended before: ${JSON.stringify(more)}`)
    }
  }
  return {
    process: child,
    ready: async () => {
      await until(child.stdout, () => stdout.includes('\n'))
      return readyLine.parse(JSON.parse(stdout))
    },
    says: (text) => until(child.stderr, () => stderr.includes(text)),
    ended: () => ended,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return ended
    },
  }
}

/** The processes whose command line names this text. */
export function processesNaming(text: string): string[] {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && pid !== String(process.pid) && commandOf(pid).includes(text))
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
