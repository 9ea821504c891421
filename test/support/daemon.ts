import { execFile, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { endWithVitest } from './scratch-directory.js'

export type DaemonOptions = {
  readonly command: readonly [program: string, ...args: string[]]
  readonly cwd: string
  /** What it says when it is ready. */
  readonly ready: RegExp
}

/** A program of others that runs for a test and ends with it, however that ends. */
export type Daemon = {
  readonly pid: number
  /** Everything that it has said. */
  output(): string
  kill(signal: NodeJS.Signals): void
  readonly exited: Promise<void>
  stop(): Promise<void>
}

const READY_WITHIN_MILLIS = 20_000
const STOP_WITHIN_MILLIS = 5_000

export async function startDaemon({ command, cwd, ready }: DaemonOptions): Promise<Daemon> {
  endWithVitest()
  const [program, ...args] = await endingWithUs(command)
  const env = { PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const killAtExit = () => void child.kill('SIGKILL')
  process.prependListener('exit', killAtExit)
  const said: string[] = []
  const exited = new Promise<void>((done) => {
    const onEnd = () => {
      process.off('exit', killAtExit)
      done()
    }
    child.once('close', onEnd)
    child.once('error', (error) => {
      said.push(error.message)
      onEnd()
    })
  })
  const isReady = new Promise<boolean>((settle) => {
    const timer = setTimeout(() => settle(false), READY_WITHIN_MILLIS)
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', (line) => {
        said.push(line)
        if (ready.test(line)) settle(true)
      })
    }
    void exited.then(() => settle(false))
    void exited.then(() => clearTimeout(timer))
  })
  const stop = async () => {
    for (const signal of ['SIGTERM', 'SIGCONT'] as const) child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MILLIS)
    await exited
    clearTimeout(timer)
  }
  if (!(await isReady)) {
    await stop()
    throw new Error(`${command[0]} did not start: ${said.slice(-5).join(' | ')}`)
  }
  return { pid: child.pid ?? 0, output: () => said.join('\n'), kill: (signal) => void child.kill(signal), exited, stop }
}

// By the kernel; a test that is killed where it can't be told so leaves them running, and says nothing wrong.
async function endingWithUs(command: DaemonOptions['command']): Promise<DaemonOptions['command']> {
  const bound = ['--pdeathsig', 'KILL']
  const isKnown = await promisify(execFile)('setpriv', [...bound, 'true']).then(
    () => true,
    () => false,
  )
  return isKnown ? ['setpriv', ...bound, ...command] : command
}
