import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.js'
import { messageOf } from '#libs/causes.js'
import { findLauncher, type Program } from './postgres-binaries.js'
import { ensureParent, prepareData } from './postgres-data.js'

export type PostgresOptions = {
  readonly dataDir: string
  /** On 127.0.0.1; 0 takes a free one. */
  readonly port: number
  /** Of the superuser `postgres`. It holds from the first start on the directory; later starts have to give the same one. */
  readonly password: string
  /** Off: a crash of the machine loses everything, and all is faster. */
  readonly durable: boolean
  readonly log: (line: string) => void
  /** The folder with `bin/` of another PostgreSQL than the one of the npm package. */
  readonly programs?: string
}

export type Postgres = {
  readonly port: number
  readonly superuserUrl: string
  readonly pid: number
  /** Settles when the server has ended, for whatever reason. */
  readonly exited: Promise<void>
  /** Ends sessions and writes everything down; after 10 seconds without patience for that. */
  stop(): Promise<void>
  kill(signal: NodeJS.Signals): void
}

type Server = Omit<Postgres, 'port' | 'superuserUrl'> & {
  /** What the server said when it did not start; undefined when it did. */
  readonly failure: Promise<string | undefined>
}

const QUIET_MILLIS = 60_000
const ATTEMPTS = 20
const PORT_TAKEN = /could not bind|could not create any TCP\/IP sockets/
// Processes of a postmaster that was killed end by themselves, soon.
const STILL_ENDING = /pre-existing shared memory block/

/**
 * Starts a PostgreSQL of our own on 127.0.0.1. The caller sees to it that nobody else starts one on the same directory: a
 * server that is found there is taken for one that an earlier run left behind, and stopped.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const dataDir = resolve(options.dataDir)
  const launcher = await findLauncher(await ensureParent(dataDir), options.programs)
  await prepareData({ ...options, dataDir, launcher })
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port === 0 ? await freePort() : options.port
    const server = supervise(launcher.start('postgres', serverArguments(dataDir, port, options.durable)), options.log)
    const failure = await server.failure
    if (failure === undefined) return { ...server, port, superuserUrl: superuserUrl(port, options.password) }
    const mayPass = STILL_ENDING.test(failure) || (PORT_TAKEN.test(failure) && options.port === 0)
    if (!mayPass || attempt === ATTEMPTS) throw new Error(`PostgreSQL with data in ${dataDir} did not start on port ${port}: ${failure}`)
    await sleep(250)
  }
}

const superuserUrl = (port: number, password: string): string => `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`

function serverArguments(dataDir: string, port: number, durable: boolean): string[] {
  const onOff = durable ? 'on' : 'off'
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    password_encryption: 'scram-sha-256',
    shared_buffers: '32MB',
    max_connections: '120',
    max_wal_size: '256MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    fsync: onOff,
    synchronous_commit: onOff,
    full_page_writes: onOff,
    // No parameter, no statement that failed and no row that broke a constraint: each may hold a secret.
    log_statement: 'none',
    log_parameter_max_length: '0',
    log_parameter_max_length_on_error: '0',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
  }
  return ['-D', dataDir, '-p', String(port), ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

function supervise(program: Program, log: (line: string) => void): Server {
  const lastLines: string[] = []
  let ended = false
  const kill = (signal: NodeJS.Signals) => {
    if (!ended) program.kill(signal)
  }
  // Not SIGKILL: that would leave the postmaster's own children to find out.
  const killAtExit = () => kill('SIGQUIT')
  process.prependListener('exit', killAtExit)
  const exited = new Promise<void>((done) => {
    const onEnd = () => {
      ended = true
      process.off('exit', killAtExit)
      done()
    }
    program.once('exit', onEnd)
    program.once('error', (error) => {
      lastLines.push(messageOf(error))
      onEnd()
    })
  })
  const failure = new Promise<string | undefined>((settle) => {
    // Recovery takes as long as it takes and says every ten seconds that it goes on: only silence is a failure.
    const silence = setTimeout(() => {
      lastLines.push(`silent for ${QUIET_MILLIS / 1000} s`)
      kill('SIGKILL')
    }, QUIET_MILLIS)
    const settled = (value?: string) => {
      clearTimeout(silence)
      settle(value)
    }
    for (const input of [program.stdout, program.stderr]) {
      createInterface({ input }).on('line', (line) => {
        log(line)
        silence.refresh()
        lastLines.splice(0, lastLines.length - 4)
        lastLines.push(line)
        if (line.includes('database system is ready to accept connections')) settled()
      })
    }
    // What it said last is read after it has ended.
    void exited.then(() => sleep(100)).then(() => settled(lastLines.join(' | ')))
  })
  return { pid: program.pid ?? 0, failure, exited, kill, stop: () => stop(exited, kill) }
}

async function stop(exited: Promise<void>, kill: (signal: NodeJS.Signals) => void): Promise<void> {
  for (const [signal, millis] of [['SIGINT', 10_000], ['SIGQUIT', 5_000], ['SIGKILL', 5_000]] as const) {
    kill(signal)
    const patience = new AbortController()
    const ended = await Promise.race([exited.then(() => true), sleep(millis, false, { signal: patience.signal }).catch(() => false)])
    patience.abort()
    if (ended) return
  }
  throw new Error('PostgreSQL does not stop, not even when it is killed.')
}
