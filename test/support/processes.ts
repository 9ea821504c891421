import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { credentials, Metadata } from '@grpc/grpc-js'
import { monotonicMillis, wallMillis } from '#libs/clock.js'
import { Closing } from '#libs/lifecycle.js'
import { HealthCheckResponse_ServingStatus as ServingStatus, HealthClient } from '#libs/wire/gen/health/v1/health.js'
import type { LocalSecrets } from '../../deploy/local/secrets.js'
import { type ServiceAddresses, serviceEnvironments, type ServiceName } from '../../deploy/local/services.js'
import { stablePort } from './stable-port.js'

/** A program that runs as a process of its own, and again after it has ended. */
export type Process = {
  readonly name: string
  /** Of the process that runs, or that ran last. */
  readonly pid: number
  /** The last of what it has said, on both of its outputs, over all of its starts. */
  output(): string
  kill(signal: NodeJS.Signals): void
  /** Returns when it has ended, for whatever reason. */
  ended(): Promise<void>
  /** Starts it where it does not run; returns before it is ready. */
  start(): void
  /** Returns when it is ready; throws what it said where it ends instead. */
  ready(): Promise<void>
  /** SIGTERM; after ten seconds without patience. */
  stop(): Promise<void>
  /** Stops it if it runs, starts it on the same ports, and returns when it is ready. */
  restart(): Promise<void>
}

/** What of: this tree by this node as this user, where nothing else is said. */
export type Tree = { readonly directory: string; readonly node: string; readonly user: { readonly uid?: number; readonly gid?: number } }

export type Program = {
  readonly name: string
  readonly args: readonly string[]
  readonly tree?: Tree
  readonly environment?: Readonly<Record<string, string>>
  readonly isReady: () => Promise<boolean>
}

export type From = 'dist' | 'source'

/** The services are run as they are deployed, from `dist/`, or straight from TypeScript. */
export type ProcessesOptions = {
  readonly registryUrl: string
  readonly exchangeUrl: string
  readonly redisUrl?: string
  readonly secrets: LocalSecrets
  readonly from?: From
  /** For all three, beside what makes them know each other. */
  readonly environment?: Readonly<Record<string, string>>
  /** For one of them. */
  readonly each?: Partial<Record<'registry' | 'exchange' | 'check', Readonly<Record<string, string>>>>
  /** Options of node itself, such as `--cpu-prof`. */
  readonly nodeOptions?: readonly string[]
  readonly tree?: Tree | Readonly<Record<'registry' | 'exchange' | 'check', Tree>>
}

export type Processes = {
  readonly addresses: ServiceAddresses
  readonly registry: Process
  readonly exchange: Process
  readonly check: Process
  close(): Promise<void>
}

const READY_WITHIN_MILLIS = 30_000
const STOP_WITHIN_MILLIS = 10_000
const KEPT_CHUNKS = 2_000
const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export const OURS: Tree = { directory: ROOT, node: process.execPath, user: {} }

/** What node needs to run our TypeScript. */
export const FROM_SOURCE = ['--conditions=development', '--import', 'tsx']

/** How node runs a service. */
export const mainOf = (service: ServiceName, from: From): readonly string[] =>
  from === 'dist' ? [join('dist/services', service, 'main.js')] : [...FROM_SOURCE, join('services', service, 'main.ts')]

// Our end of its standard input closes with us, however we end, so that not even SIGKILL leaves a child behind.
const ENDS_WITH_PARENT = "process.stdin.on('close', () => process.exit(1)).resume().unref()"

/** The three services, each as its own process on free ports of 127.0.0.1. Returns when all are ready. */
export async function startProcesses({ from = 'dist', environment, each = {}, nodeOptions = [], tree = OURS, ...shared }: ProcessesOptions): Promise<Processes> {
  const own = serviceEnvironments(shared)
  const [registryPort, registryInternalPort, exchangePort, exchangeInternalPort, checkPort] = await stablePorts()
  const at = (port: number) => `127.0.0.1:${port}`
  const [registryInternal, exchangeInternal] = [at(registryInternalPort), at(exchangeInternalPort)]
  const addresses = { registry: at(registryPort), exchange: at(exchangePort), check: at(checkPort), registryInternal, exchangeInternal }
  const everywhere = {
    REGISTRY_PORT: String(registryPort),
    REGISTRY_INTERNAL_PORT: String(registryInternalPort),
    EXCHANGE_PORT: String(exchangePort),
    EXCHANGE_INTERNAL_PORT: String(exchangeInternalPort),
    CHECK_PORT: String(checkPort),
    REGISTRY_INTERNAL_ADDRESS: registryInternal,
    EXCHANGE_INTERNAL_ADDRESS: exchangeInternal,
    CHECK_ADDRESS: addresses.check,
    ...environment,
  }
  const trees = 'node' in tree ? { registry: tree, exchange: tree, check: tree } : tree
  const closing = new Closing()
  const service = (name: ServiceName, address: string, [ofIt, variables]: readonly [Tree, Record<string, string>]): Process => {
    const args = [...nodeOptions, ...mainOf(name, from)]
    const made = nodeProcess({ name, args, tree: ofIt, environment: { ...everywhere, ...variables }, isReady: () => isServing(address) })
    closing.add(() => made.stop())
    return made
  }
  const registry = service('identity-registry', addresses.registry, [trees.registry, { ...own.registry, ...each.registry }])
  const exchange = service('auth-exchange', addresses.exchange, [trees.exchange, { ...own.exchange, ...each.exchange }])
  const check = service('authorization-check', addresses.check, [trees.check, { ...own.check, ...each.check }])
  try {
    await Promise.all([registry, exchange, check].map((one) => one.restart()))
  } catch (error) {
    await closing.close()
    throw error
  }
  return { addresses, registry, exchange, check, close: () => closing.close() }
}

/** A program of ours under node, not yet started. */
export function nodeProcess({ name, args, tree = OURS, environment, isReady }: Program): Process {
  const said: string[] = []
  const hear = (chunk: string) => {
    said.push(chunk)
    if (said.length > KEPT_CHUNKS) said.splice(0, KEPT_CHUNKS / 2)
  }
  const lastWords = () => said.join('').slice(-4_000)
  let child: Child | undefined
  const start = () => {
    if (child?.isRunning() !== true) child = launch({ args, tree, environment: environment ?? {} }, hear)
  }
  const stop = () => child?.stop() ?? Promise.resolve()
  const ready = async () => {
    const latest = monotonicMillis() + READY_WITHIN_MILLIS
    while (!(await isReady())) {
      if (child?.isRunning() !== true) throw new Error(`${name} ended before it was ready:\n${lastWords()}`)
      if (monotonicMillis() > latest) throw new Error(`${name} was not ready within ${READY_WITHIN_MILLIS / 1000} s:\n${lastWords()}`)
      await sleep(20)
    }
  }
  return {
    name,
    get pid() {
      return child?.pid ?? 0
    },
    output: () => said.join(''),
    kill: (signal) => child?.kill(signal),
    ended: () => child?.ended ?? Promise.resolve(),
    start,
    ready,
    stop,
    async restart() {
      await stop()
      start()
      await ready()
    },
  }
}

type Child = {
  readonly pid: number
  readonly ended: Promise<void>
  isRunning(): boolean
  kill(signal: NodeJS.Signals): void
  stop(): Promise<void>
}

const running = new Set<ChildProcessByStdio<Writable, Readable, Readable>>()

const killAll = () => {
  for (const child of running) child.kill('SIGKILL')
}

type Launched = Required<Pick<Program, 'args' | 'tree' | 'environment'>>

function launch({ args, tree, environment }: Launched, hear: (chunk: string) => void): Child {
  const watching = ['--import', `data:text/javascript,${encodeURIComponent(ENDS_WITH_PARENT)}`]
  const env = { PATH: process.env['PATH'] ?? '', ...environment }
  // A process group of its own: Ctrl-C in the terminal reaches us alone, and we say when it stops.
  const child = spawn(tree.node, [...watching, ...args], { cwd: tree.directory, ...tree.user, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
  if (running.size === 0) process.prependListener('exit', killAll)
  running.add(child)
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', hear)
  child.stdin.on('error', () => undefined)
  const ended = new Promise<void>((done) => {
    const onEnd = () => {
      running.delete(child)
      if (running.size === 0) process.off('exit', killAll)
      done()
    }
    child.once('close', onEnd)
    child.once('error', (error) => {
      hear(`${error.message}\n`)
      onEnd()
    })
  })
  const kill = (signal: NodeJS.Signals) => void child.kill(signal)
  const stop = async () => {
    // What was made to stand still has to go on in order to end.
    for (const signal of ['SIGTERM', 'SIGCONT'] as const) kill(signal)
    const timer = setTimeout(() => kill('SIGKILL'), STOP_WITHIN_MILLIS)
    await ended
    clearTimeout(timer)
  }
  return { pid: child.pid ?? 0, ended, isRunning: () => running.has(child), kill, stop }
}

/** Whether the service there says of itself that it is ready. */
export async function isServing(address: string): Promise<boolean> {
  const client = new HealthClient(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 })
  try {
    return await new Promise((answer) => {
      client.check({ service: 'readiness' }, new Metadata(), { deadline: wallMillis() + 2_000 }, (error, response) => {
        answer(error === null && response.status === ServingStatus.SERVING)
      })
    })
  } finally {
    client.close()
  }
}

async function stablePorts(): Promise<[number, number, number, number, number]> {
  const [first, second, third, fourth, fifth] = [await stablePort(), await stablePort(), await stablePort(), await stablePort(), await stablePort()]
  return new Set([first, second, third, fourth, fifth]).size === 5 ? [first, second, third, fourth, fifth] : stablePorts()
}
