import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../log.js'
import { NO_METRICS, type RpcMetrics } from '../metrics/rpc.js'
import { type Address, createRpcServer, type RpcServer, type ServerOptions } from './server.js'
import type { Limits } from './unary.js'
import { PLAIN, type Transport } from './transport.js'

// All the listeners of a service, which become ready and leave together.

export type Listener = {
  readonly address: Address
  /** The variable that sets the port. */
  readonly portVariable: string
  /** Whether callers must show a certificate that is known, where there are certificates. */
  readonly callers: 'anybody' | 'known'
  readonly services: ServerOptions['services']
  /** Where the default ones don't fit what is asked there. */
  readonly limits?: Limits
}

export type Listeners = {
  /** Health is answered from now on: alive, and not ready. */
  listenForProbes(): Promise<void>
  /** Their ports, in order. */
  listen(): Promise<number[]>
  setReady(): void
  /**
   * What Kubernetes and its like expect of SIGTERM: health says NOT_SERVING (but for `liveness`), calls are taken for the lame
   * duck's time, since routes change late; then no more, those under way are finished, and what is left after the grace is cut.
   */
  close(): Promise<void>
}

type Config = {
  readonly HOST: string
  readonly HEALTH_PORT?: number | undefined
  /** Without it nobody reads what would be counted. */
  readonly METRICS_PORT?: number | undefined
  readonly LAME_DUCK_SECONDS: number
  readonly DRAIN_SECONDS: number
}

type Outside = { readonly config: Config; readonly log: Log; readonly transport: Transport; readonly metrics: { readonly rpc: RpcMetrics } }

export function listenersOf(listeners: readonly Listener[], { config, log, transport, metrics }: Outside): Listeners {
  const graceMillis = config.DRAIN_SECONDS * 1000
  const shared = { log, metrics: config.METRICS_PORT === undefined ? NO_METRICS : metrics.rpc, graceMillis }
  const servers = listeners.map(({ callers, ...listener }) => createRpcServer({ ...shared, ...listener, credentials: credentialsOf(listener, { callers, transport }) }))
  const health = config.HEALTH_PORT === undefined ? [] : [healthServer(servers, { host: config.HOST, port: config.HEALTH_PORT }, shared)]
  const all = [...servers, ...health]
  return {
    listenForProbes: async () => {
      for (const server of health) await server.listen()
    },
    listen: async () => {
      const ports: number[] = []
      for (const server of servers) ports.push(await server.listen())
      return ports
    },
    setReady: () => {
      for (const server of all) server.health.setReady(true)
    },
    close: async () => {
      for (const server of all) server.health.drain()
      if (config.LAME_DUCK_SECONDS > 0) await sleep(config.LAME_DUCK_SECONDS * 1000)
      await Promise.all(servers.map((server) => server.close()))
      // Whoever asks how it goes is answered to the end.
      await Promise.all(health.map((server) => server.close()))
    },
  }
}

/** A socket is spoken to in plain text by whoever can open it: what may be mounted where is its lock. */
const credentialsOf = ({ address }: Pick<Listener, 'address'>, { callers, transport }: { readonly callers: Listener['callers']; readonly transport: Transport }) =>
  'socketPath' in address ? PLAIN.server('anybody') : transport.server(callers)

/** For probes, which speak no TLS: health and nothing else, in plain text. */
const healthServer = (servers: readonly RpcServer[], address: Address, shared: Pick<ServerOptions, 'log' | 'metrics' | 'graceMillis'>): RpcServer =>
  createRpcServer({ ...shared, graceMillis: 0, address, portVariable: 'HEALTH_PORT', credentials: PLAIN.server('anybody'), services: () => [], healthOf: servers.flatMap(({ names }) => names) })
