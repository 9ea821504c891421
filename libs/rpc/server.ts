import { chmod } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js'
import type { Log } from '../log.js'
import { NO_METRICS, type RpcMetrics } from '../metrics/rpc.js'
import { removeAbandonedSocket } from './abandoned-socket.js'
import { type Health, serveHealth } from './health.js'
import { type LockstepAdapter, lockstepStreams } from './lockstep.js'
import { serveReflection } from './reflection.js'
import { requestInTime } from './request-in-time.js'
import './silent-grpc.js'
import { defaultLimits, type Limits, Undecodable, unaryAdapter, type UnaryAdapter } from './unary.js'

// A gRPC server as every service of ours runs one: limits on everything that a peer can make grow, health, reflection,
// and a drain that always ends.

export type Address = { readonly host: string; readonly port: number } | { readonly socketPath: string }

export type RpcServer = {
  readonly health: Health
  /** Of the services that it answers for. */
  readonly names: readonly string[]
  readonly unary: UnaryAdapter
  /** Answers with the port, which the system chose where 0 was asked for; 0 for a socket. */
  listen(): Promise<number>
  /** Looks unready, finishes the calls under way, and closes after `graceMillis` at the latest. */
  close(): Promise<void>
}

export type ServerOptions = {
  readonly log: Log
  readonly address: Address
  readonly services: (unary: UnaryAdapter, lockstep: LockstepAdapter) => readonly (readonly [ServiceDefinition, UntypedServiceImplementation])[]
  /** The variable that sets the port, to be named when the port is taken. */
  readonly portVariable: string
  readonly limits?: Limits
  readonly graceMillis?: number
  /** Plain text where nothing is said. */
  readonly credentials?: ServerCredentials
  readonly metrics?: RpcMetrics
  /** Answers for the health of these services of other listeners, and for nothing else. */
  readonly healthOf?: readonly string[]
}

const options = {
  'grpc.max_receive_message_length': 256 * 1024,
  'grpc.max_send_message_length': 4 * 1024 * 1024,
  'grpc.max_concurrent_streams': 1_000,
  'grpc-node.max_session_memory': 32,
  'grpc.max_connection_idle_ms': 5 * 60_000,
  'grpc.max_connection_age_ms': 5 * 60_000,
  'grpc.max_connection_age_grace_ms': 30_000,
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.enable_channelz': 0,
}

export class ListenError extends Error {
  override readonly name = 'ListenError'
}

export function createRpcServer(given: ServerOptions): RpcServer {
  const { log, address, services, portVariable, limits = defaultLimits, graceMillis = 5_000, metrics = NO_METRICS, healthOf } = given
  const server = new Server({ ...options, interceptors: [requestInTime(limits.maxMillis)] })
  const unary = unaryAdapter({ log, limits, metrics })
  const lockstep = lockstepStreams({ log, limits, metrics })
  const added = services(unary, lockstep.adapter)
  for (const [definition, implementation] of added) server.addService(refusingUndecodable(definition), implementation)
  const names = added.map(([definition]) => serviceName(definition))
  const health = serveHealth(server, healthOf ?? names)
  if (!healthOf) serveReflection(server, [...names, 'grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection'])
  let target = targetOf(address)
  return {
    health,
    names,
    unary,
    listen: async () => {
      if ('socketPath' in address) await removeAbandonedSocket(address.socketPath)
      const port = await bind(server, { address, portVariable, credentials: given.credentials ?? ServerCredentials.createInsecure() })
      if ('socketPath' in address) {
        // Whoever finds the folder may ask, under whatever user: who that is, the folder's mode or the mount says.
        await chmod(address.socketPath, 0o666)
        return 0
      }
      target = targetOf({ host: address.host, port })
      return port
    },
    close: async () => {
      health.drain()
      lockstep.end()
      await drained(server, target, graceMillis)
    },
  }
}

function serviceName(definition: ServiceDefinition): string {
  const [method] = Object.values(definition)
  return method?.path.split('/')[1] ?? ''
}

/** grpc-js would answer INTERNAL for bytes that don't decode; the request is what is wrong. */
function refusingUndecodable(definition: ServiceDefinition): ServiceDefinition {
  const guarded = (decode: (bytes: Buffer) => unknown) => (bytes: Buffer) => {
    try {
      return decode(bytes)
    } catch {
      return new Undecodable()
    }
  }
  return Object.fromEntries(
    Object.entries(definition).map(([name, method]) => [name, { ...method, requestDeserialize: guarded(method.requestDeserialize) }]),
  )
}

function targetOf(address: Address): string {
  if ('socketPath' in address) return `unix:${address.socketPath}`
  return `${isIPv6(address.host) ? `[${address.host}]` : address.host}:${address.port}`
}

type Binding = { readonly address: Address; readonly portVariable: string; readonly credentials: ServerCredentials }

function bind(server: Server, { address, portVariable, credentials }: Binding): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(targetOf(address), credentials, (error, port) => {
      if (error) reject(explained(error, address, portVariable))
      else resolve(port)
    })
  })
}

function explained(error: Error, address: Address, portVariable: string): ListenError {
  if ('socketPath' in address) return new ListenError(`Can't listen on the socket ${address.socketPath}: ${error.message}`)
  const where = targetOf(address)
  if (error.message.includes('EADDRINUSE')) {
    return new ListenError(`Port ${address.port} is in use: stop what listens on ${where}, or set ${portVariable} to another port (0: any free one).`)
  }
  if (error.message.includes('EACCES')) return new ListenError(`Not allowed to listen on ${where}: set ${portVariable} to a port above 1023.`)
  return new ListenError(`Can't listen on ${where} (${portVariable}): ${error.message}`)
}

function drained(server: Server, target: string, graceMillis: number): Promise<void> {
  // Without channelz, forceShutdown leaves connections open; drain ends those that are left after the grace.
  if (!target.endsWith(':0')) server.drain(target, graceMillis)
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, graceMillis + 1_000)
    server.tryShutdown(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
