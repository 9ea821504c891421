import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, readlink, realpath, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from './free-port.js'

export type RedisOptions = {
  /** redis-server or valkey-server. */
  readonly program: string
  /** Where it works; nothing is kept there but the number of its process. */
  readonly dataDir: string
  /** On 127.0.0.1; without it a free one. */
  readonly port?: number
  /** Without it a new one. */
  readonly password?: string
  readonly log: (line: string) => void
}

export type Redis = {
  /** With the password. */
  readonly url: string
  readonly port: number
  readonly password: string
  readonly pid: number
  /** Settles when the server has ended, for whatever reason. */
  readonly exited: Promise<void>
  /** After 5 seconds without patience. */
  stop(): Promise<void>
  kill(signal: NodeJS.Signals): void
}

type Command = readonly [program: string, ...args: string[]]

type Server = Pick<Redis, 'pid' | 'exited' | 'stop' | 'kill'> & {
  /** What the server said when it did not start; undefined when it did. */
  readonly failure: Promise<string | undefined>
}

const START_WITHIN_MILLIS = 20_000
const STOP_WITHIN_MILLIS = 5_000
const ATTEMPTS = 10
const PORT_TAKEN = /Could not create server TCP listening socket|Address already in use/
const PID_FILE = 'redis.pid'

/**
 * Starts a Redis of our own on 127.0.0.1, which keeps nothing and ends with this process. One that is found in the same
 * directory is taken for one that an earlier run left behind, and stopped; so nobody else may start one there.
 */
export async function startRedis({ program, port: givenPort, log, ...given }: RedisOptions): Promise<Redis> {
  const dataDir = resolve(given.dataDir)
  const password = given.password ?? randomBytes(24).toString('base64url')
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  await stopLeftOverRedis(dataDir, log)
  const [command, ...args] = await endingWithUs([program, '-'])
  for (let attempt = 1; ; attempt += 1) {
    const port = givenPort ?? (await freePort())
    const env = { PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
    // A process group of its own: Ctrl-C in the terminal reaches us alone, and we say when it stops.
    const child = spawn(command, args, { cwd: dataDir, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
    // In the arguments everybody could read the password.
    child.stdin.on('error', () => undefined).end(configuration(port, password))
    const { failure, ...server } = supervise(child, log)
    const why = await failure
    if (why === undefined) return { ...server, port, password, url: `redis://:${encodeURIComponent(password)}@127.0.0.1:${port}` }
    if (!PORT_TAKEN.test(why) || givenPort !== undefined || attempt === ATTEMPTS) throw new Error(`${program} did not start on port ${port}: ${why}`)
  }
}

// The kernel kills it when we end, however that is; where it can't be told so, the next start finds what was left behind.
async function endingWithUs(command: Command): Promise<Command> {
  const bound: Command = ['setpriv', '--pdeathsig', 'KILL']
  const isKnown = await promisify(execFile)('setpriv', [...bound.slice(1), 'true']).then(
    () => true,
    () => false,
  )
  return isKnown ? [...bound, ...command] : command
}

const configuration = (port: number, password: string): string => `
bind 127.0.0.1
port ${port}
protected-mode yes
requirepass "${password.replaceAll(/["\\]/g, '\\$&')}"
save ""
appendonly no
maxmemory 64mb
maxmemory-policy allkeys-lru
daemonize no
logfile ""
pidfile ${PID_FILE}
`

function supervise(child: ChildProcessByStdio<Writable, Readable, Readable>, log: (line: string) => void): Server {
  const lastLines: string[] = []
  let ended = false
  const kill = (signal: NodeJS.Signals) => {
    if (!ended) child.kill(signal)
  }
  const killAtExit = () => kill('SIGKILL')
  process.prependListener('exit', killAtExit)
  const exited = new Promise<void>((done) => {
    const onEnd = () => {
      ended = true
      process.off('exit', killAtExit)
      done()
    }
    child.once('close', onEnd)
    child.once('error', (error) => {
      lastLines.push(error.message)
      onEnd()
    })
  })
  const failure = new Promise<string | undefined>((settle) => {
    const silence = setTimeout(() => {
      lastLines.push(`not ready within ${START_WITHIN_MILLIS / 1000} s`)
      kill('SIGKILL')
    }, START_WITHIN_MILLIS)
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', (line) => {
        log(line)
        lastLines.splice(0, lastLines.length - 4)
        lastLines.push(line)
        if (!line.includes('Ready to accept connections')) return
        clearTimeout(silence)
        settle(undefined)
      })
    }
    void exited.then(() => {
      clearTimeout(silence)
      settle(lastLines.join(' | '))
    })
  })
  return { pid: child.pid ?? 0, failure, exited, kill, stop: () => stop(exited, kill) }
}

async function stop(exited: Promise<void>, kill: (signal: NodeJS.Signals) => void): Promise<void> {
  // What was made to stand still has to go on in order to end.
  for (const signal of ['SIGTERM', 'SIGCONT'] as const) kill(signal)
  const timer = setTimeout(() => kill('SIGKILL'), STOP_WITHIN_MILLIS)
  await exited
  clearTimeout(timer)
}

/** Stops the server that worked in the directory, if it still runs. It keeps nothing, so it may go at once. */
export async function stopLeftOverRedis(dataDir: string, log: (line: string) => void): Promise<void> {
  const pidFile = join(dataDir, PID_FILE)
  const written = await readFile(pidFile, 'utf8').catch(() => '')
  if (written === '') return
  const pid = Number(written)
  if (await worksIn(pid, dataDir)) {
    log(`stopping Redis (process ${pid}), which an earlier run left behind`)
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has just ended, or it isn't ours to end: which of the two shows below.
    }
    for (let waited = 0; await worksIn(pid, dataDir); waited += 10) {
      if (waited > STOP_WITHIN_MILLIS) throw new Error(`Redis (process ${pid}), which an earlier run left behind in ${dataDir}, does not stop: end it by hand.`)
      await sleep(10)
    }
  }
  await rm(pidFile, { force: true })
}

// A number comes round again: it is the server only if that works in this very directory. A zombie works nowhere.
async function worksIn(pid: number, dataDir: string): Promise<boolean> {
  if (!Number.isSafeInteger(pid) || pid <= 1) return false
  try {
    const [name, workplace] = [await readFile(`/proc/${pid}/comm`, 'utf8'), await readlink(`/proc/${pid}/cwd`)]
    return /^(?:redis|valkey)-server/.test(name) && workplace === (await realpath(dataDir))
  } catch {
    return false
  }
}
