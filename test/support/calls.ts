import { type ChannelCredentials, Metadata } from '@grpc/grpc-js'
import { createRpcClient, type RpcClient, type UnaryMethod } from '#libs/rpc/client.js'
import { deadlineOf } from '#libs/rpc/deadline.js'
import { CREDENTIAL_HEADER } from '#libs/rpc/service-credential.js'
import { traceOf } from '#libs/rpc/trace.js'

/** Calls one method; fails with the DomainError that the server threw. */
export type Calls = {
  <Request, Response>(method: UnaryMethod<Request, Response>, request: Request, deadlineMillis?: number): Promise<Response>
  close(): void
}

/** Calls to one address, with a token where one is given; in plain text where nothing else is said. */
export function callsTo(address: string, headers: Readonly<Record<string, string>> = {}, credentials?: ChannelCredentials): Calls {
  const client: RpcClient = createRpcClient({ address, headers, ...(credentials && { credentials }) })
  const call = <Request, Response>(method: UnaryMethod<Request, Response>, request: Request, deadlineMillis = 10_000): Promise<Response> =>
    client.unary(method, request, { deadline: deadlineOf(Infinity, deadlineMillis), trace: traceOf(new Metadata()) })
  return Object.assign(call, { close: () => client.close() })
}

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

/** What a service shows on another's internal listener. */
export const asService = (name: string, secret: string): Record<string, string> => ({ [CREDENTIAL_HEADER]: `${name}:${secret}` })
