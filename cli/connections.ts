import { Metadata } from '@grpc/grpc-js'
import { DomainError } from '#libs/domain-error.js'
import { createRpcClient, type RpcClient, type UnaryMethod } from '#libs/rpc/client.js'
import { deadlineOf } from '#libs/rpc/deadline.js'
import { traceOf } from '#libs/rpc/trace.js'
import { channelTo, pemFrom } from './channel.js'
import { type Context, type Service, serviceNames } from './context.js'
import type { Environment } from './variables.js'
import { Failure } from './failure.js'

const CALL_MILLIS = 10_000

export type Caller = {
  call<Request, Response>(service: Service, method: UnaryMethod<Request, Response>, request: Request): Promise<Response>
}

/** A caller that shows no token. */
export type Connections = Caller & {
  as(accessToken: string): Caller
  close(): void
}

export function openConnections(context: Context, environment: Environment): Connections {
  const pem = pemFrom(environment)
  const clients = new Map<string, RpcClient>()
  const trace = traceOf(new Metadata())
  const clientFor = (service: Service, address: string, accessToken: string | undefined): RpcClient => {
    const name = `${service} ${address} ${accessToken ?? ''}`
    const headers: Record<string, string> = accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }
    const client = clients.get(name) ?? createRpcClient({ address, headers, credentials: channelTo(service, pem) })
    clients.set(name, client)
    return client
  }
  const callerWith = (accessToken?: string): Caller => ({
    call: async (service, method, request) => {
      const address = context.addressOf(service)
      const deadline = deadlineOf(Number.POSITIVE_INFINITY, CALL_MILLIS)
      try {
        return await clientFor(service, address, accessToken).unary(method, request, { deadline, trace })
      } catch (error) {
        throw error instanceof DomainError && error.kind === 'UNAVAILABLE' ? unavailable(error, service, address) : error
      }
    },
  })
  return { ...callerWith(), as: callerWith, close: () => clients.forEach((client) => client.close()) }
}

function unavailable(error: DomainError, service: Service, address: string): Failure {
  const metadata = { ...error.metadata, service: serviceNames[service], address }
  const message = wasAnswered(error)
    ? `${serviceNames[service]} at ${address} can't answer at the moment: ${error.message}`
    : `Can't reach ${serviceNames[service]} at ${address}: is it running? \`npm start\``
  return new Failure({ exitCode: 3, reason: error.reason, message, metadata, cause: error })
}

// A service that can't reach what it needs says so with details; where nobody answered there are none.
function wasAnswered({ cause }: DomainError): boolean {
  if (!(cause instanceof Error && 'metadata' in cause && cause.metadata instanceof Metadata)) return false
  return cause.metadata.get('grpc-status-details-bin').length > 0
}
