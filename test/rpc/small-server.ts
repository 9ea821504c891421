import { Writable } from 'node:stream'
import { Client, credentials, Metadata, type StatusObject } from '@grpc/grpc-js'
import { z } from 'zod'
import { createLog } from '#libs/log.js'
import type { Outgoing } from '#libs/rpc/client.js'
import { deadlineOf } from '#libs/rpc/deadline.js'
import { type Address, createRpcServer, type RpcServer, type ServerOptions } from '#libs/rpc/server.js'
import { traceOf } from '#libs/rpc/trace.js'
import { type Call, defaultLimits, type Limits, type Unary } from '#libs/rpc/unary.js'
import {
  AuthorizationCheckServiceService as Check,
  CheckRequest,
  CheckResponse,
} from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'

// A real server whose one method does what a test wants, for what every server of ours promises.

export type Handler = Unary<CheckRequest, CheckResponse>

const line = z.looseObject({ msg: z.string() })

export type SmallServer = {
  readonly rpc: RpcServer
  readonly address: string
  readonly port: number
  /** What was logged, a line each. */
  lines(): z.output<typeof line>[]
  logged(): string
  close(): Promise<void>
}

export type Options = {
  readonly limits?: Partial<Limits>
  readonly graceMillis?: number
  readonly address?: Address
  readonly services?: ServerOptions['services']
}

const LOOPBACK = { host: '127.0.0.1', port: 0 }

export const allowed: CheckResponse = CheckResponse.fromPartial({ allowed: true, identityId: 'somebody' })
export const answering: Handler = () => Promise.resolve(allowed)
export const question: CheckRequest = CheckRequest.fromPartial({
  accessToken: 'the-token-of-somebody',
  action: 'read',
  resource: { type: 'secrets', attributes: {} },
})

export async function startServer(
  handler: Handler,
  { limits = {}, graceMillis = 1_000, address = LOOPBACK, services }: Options = {},
): Promise<SmallServer> {
  const lines: string[] = []
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString())
      done()
    },
  })
  const rpc = createRpcServer({
    log: createLog({ service: 'small', level: 'trace', destination }),
    address,
    portVariable: 'SMALL_PORT',
    limits: { ...defaultLimits, ...limits },
    graceMillis,
    services: services ?? ((unary) => [[Check, { check: unary(handler) }]]),
  })
  const port = await rpc.listen()
  return {
    rpc,
    address: 'socketPath' in address ? `unix:${address.socketPath}` : `${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}`,
    port,
    lines: () => lines.map((text) => line.parse(JSON.parse(text))),
    logged: () => lines.join(''),
    close: () => rpc.close(),
  }
}

/** A handler that answers when it is told to, and says who waits. */
export type HeldHandler = {
  readonly handler: Handler
  /** The calls that are held, once there are as many. */
  readonly arrived: (count: number) => Promise<readonly Call[]>
  readonly answerAll: () => void
}

export function holding(): HeldHandler {
  const calls: Call[] = []
  const answers: (() => void)[] = []
  let waiting: { count: number; tell: (calls: readonly Call[]) => void } | undefined
  return {
    handler: (_request, call) =>
      new Promise((resolve) => {
        calls.push(call)
        answers.push(() => resolve(allowed))
        if (waiting && calls.length >= waiting.count) waiting.tell(calls)
      }),
    arrived: (count) =>
      new Promise((tell) => {
        if (calls.length >= count) tell(calls)
        else waiting = { count, tell }
      }),
    answerAll: () => {
      for (const answer of answers.splice(0)) answer()
    },
  }
}

/** A bare client: what it sends, and what comes, as it is. */
export type BareCall = {
  readonly bytes?: Buffer
  readonly path?: string
  readonly headers?: Readonly<Record<string, string | Buffer>>
  readonly deadlineMillis?: number
}
export type BareClient = {
  call(given?: BareCall): Promise<StatusObject>
  cancellable(): { cancel(): void; status: Promise<StatusObject> }
  close(): void
}

export function bareClient(address: string): BareClient {
  const client = new Client(address, credentials.createInsecure(), { 'grpc.max_send_message_length': -1, 'grpc.use_local_subchannel_pool': 1 })
  const start = ({ bytes = bytesOf(question), path = Check.check.path, headers = {}, deadlineMillis }: BareCall) => {
    const metadata = new Metadata()
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
    const deadline = deadlineMillis === undefined ? {} : { deadline: new Date(new Date().getTime() + deadlineMillis) }
    return client.makeUnaryRequest(path, (value: Buffer) => value, (value: Buffer) => value, bytes, metadata, deadline, () => undefined)
  }
  const statusOf = (call: ReturnType<typeof start>) => new Promise<StatusObject>((resolve) => call.on('status', resolve))
  return {
    call: (given = {}) => statusOf(start(given)),
    cancellable: () => {
      const call = start({})
      return { cancel: () => call.cancel(), status: statusOf(call) }
    },
    close: () => client.close(),
  }
}

/** What is handed on where a test makes a call for itself. */
export const outgoing = (deadlineMillis = 20_000): Outgoing => ({
  deadline: deadlineOf(Infinity, deadlineMillis),
  trace: traceOf(new Metadata()),
})

export const bytesOf = (request: CheckRequest): Buffer => Buffer.from(CheckRequest.encode(request).finish())
