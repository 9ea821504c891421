import { type ChannelCredentials, Client, credentials as channelCredentials, Metadata, status } from '@grpc/grpc-js'
import { monotonicMillis } from '../clock.js'
import { DomainError } from '../domain-error.js'
import { type Deadline, wallDeadline } from './deadline.js'
import { type Failed, fromStatus } from './errors.js'
import { LockstepCall } from './lockstep-call.js'
import { CREDENTIAL_HEADER } from './service-credential.js'
import './silent-grpc.js'
import { newTrace, type Trace, writeTrace } from './trace.js'

/** What is handed on from the call being answered to the call being made. */
export type Outgoing = { readonly deadline: Deadline; readonly trace: Trace }

export type UnaryMethod<Request, Response> = {
  readonly path: string
  requestSerialize(request: Request): Buffer
  responseDeserialize(bytes: Buffer): Response
}

/** One whose requests are answered one by one. */
export type LockstepMethod<Request, Response> = UnaryMethod<Request, Response> & { readonly requestStream: true; readonly responseStream: true }

export type RpcClient = {
  /** Fails with the DomainError that the server threw, or UNAVAILABLE where there was no answer in time. */
  unary<Request, Response>(method: UnaryMethod<Request, Response>, request: Request, outgoing: Outgoing): Promise<Response>
  /** Requests on one stream, which is part of a trace of its own: nobody's call asks for them. */
  lockstep<Request, Response>(method: LockstepMethod<Request, Response>): LockstepCall<Request, Response>
  /** Resolves once the server answers a connection; rejects when it does not within `millis`. */
  waitForReady(millis: number): Promise<void>
  close(): void
}

export type ClientOptions = {
  /** `host:port`, `unix:PATH`, or a gRPC name such as `dns:///host:port`; a function is asked once, at the first call. */
  readonly address: string | (() => string)
  /** Added to every call. */
  readonly headers?: Readonly<Record<string, string>>
  /** `NAME:SECRET`, shown to the server as the credential of a service. */
  readonly serviceCredential?: string
  /** Full names of the services all of whose methods may be repeated: on UNAVAILABLE they are, inside the deadline. */
  readonly idempotentServices?: readonly string[]
  /** Methods of those services that may not. */
  readonly onceOnly?: readonly { readonly path: string }[]
  /** Plain text where nothing is said. */
  readonly credentials?: ChannelCredentials
}

export function createRpcClient({ address, headers = {}, serviceCredential, idempotentServices = [], onceOnly = [], credentials = channelCredentials.createInsecure() }: ClientOptions): RpcClient {
  let opened: Client | undefined
  const client = () => (opened ??= connect(typeof address === 'string' ? address : address(), credentials, serviceConfig(idempotentServices, onceOnly)))
  const streams: { close(): void }[] = []
  const metadataOf = (trace: Trace): Metadata => {
    const metadata = new Metadata()
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
    if (serviceCredential !== undefined) metadata.set(CREDENTIAL_HEADER, serviceCredential)
    writeTrace(trace, metadata)
    return metadata
  }
  const failure = (ended: Failed) => failureOf(ended, serviceCredential !== undefined)
  return {
    unary: (method, request, { deadline, trace }) => {
      const metadata = metadataOf(trace)
      return new Promise((resolve, reject) => {
        client().makeUnaryRequest(
          method.path,
          (value) => method.requestSerialize(value),
          (bytes) => method.responseDeserialize(bytes),
          request,
          metadata,
          { deadline: wallDeadline(deadline) },
          (error, response) => {
            if (response !== undefined) resolve(response)
            else reject(failure(error ?? noAnswer))
          },
        )
      })
    },
    lockstep: <Request, Response>(method: LockstepMethod<Request, Response>) => {
      const encode = (value: Request) => method.requestSerialize(value)
      const decode = (bytes: Buffer) => method.responseDeserialize(bytes)
      const call = new LockstepCall({ open: () => client().makeBidiStreamRequest(method.path, encode, decode, metadataOf(newTrace())), failure })
      streams.push(call)
      return call
    },
    waitForReady: (millis) =>
      new Promise((resolve, reject) => {
        client().waitForReady(wallDeadline(monotonicMillis() + millis), (error) => (error ? reject(error) : resolve()))
      }),
    close: () => {
      for (const stream of streams) stream.close()
      opened?.close()
    },
  }
}

const connect = (address: string, credentials: ChannelCredentials, config: string): Client =>
  new Client(address, credentials, {
    'grpc.service_config': config,
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 3_000,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
    'grpc.max_receive_message_length': 4 * 1024 * 1024,
    'grpc.enable_channelz': 0,
    // Services are called where they are said to be, whatever proxy the environment names for the web.
    'grpc.enable_http_proxy': 0,
  })

const misconfigured = (cause: DomainError): DomainError =>
  new DomainError('UNAVAILABLE', 'SERVICE_MISCONFIGURED', 'One service does not accept the credential of another: an operator must look at it.', { cause })

/** A refusal of our own credential is no word about the caller's: who hears UNAUTHENTICATED throws a good token away. */
function failureOf(ended: Failed, asService: boolean): DomainError {
  const failure = fromStatus(ended)
  const ofCredential = failure.reason === 'SERVICE_CREDENTIAL_REJECTED' || failure.reason === 'SERVICE_NOT_ALLOWED'
  return asService && ofCredential ? misconfigured(failure) : failure
}

const noAnswer: Failed = { code: status.INTERNAL, details: 'no answer' }

const nameOf = ({ path }: { readonly path: string }) => {
  const [, service, method] = path.split('/')
  return { service, method }
}

const retryPolicy = { maxAttempts: 3, initialBackoff: '0.02s', maxBackoff: '0.2s', backoffMultiplier: 3, retryableStatusCodes: ['UNAVAILABLE'] }

function serviceConfig(idempotentServices: readonly string[], onceOnly: readonly { readonly path: string }[]): string {
  return JSON.stringify({
    loadBalancingConfig: [{ round_robin: {} }],
    // What is said of a method counts before what is said of its service.
    methodConfig: [...idempotentServices.map((service) => ({ name: [{ service }], retryPolicy })), ...onceOnly.map((method) => ({ name: [nameOf(method)] }))],
    retryThrottling: { maxTokens: 100, tokenRatio: 0.1 },
  })
}
