import { Client, credentials, Metadata } from '@grpc/grpc-js'
import type { UnaryMethod } from '#libs/rpc/client.js'

/** One connection to a server, with nothing of ours around grpc-js, so that every row is asked by the same client. */
export type Connection = { unary<Request, Response>(method: UnaryMethod<Request, Response>, request: Request): Promise<Response>; close(): void }

const DEADLINE_MILLIS = 10_000

export function connect(address: string, headers: Readonly<Record<string, string>> = {}): Connection {
  const client = new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1, 'grpc.enable_channelz': 0 })
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
  return {
    unary: (method, request) =>
      new Promise((resolve, reject) => {
        const encode = (value: typeof request) => method.requestSerialize(value)
        const decode = (bytes: Buffer) => method.responseDeserialize(bytes)
        client.makeUnaryRequest(method.path, encode, decode, request, metadata, { deadline: Date.now() + DEADLINE_MILLIS }, (error, response) => {
          if (response === undefined) reject(error ?? new Error(`${method.path} had no answer`))
          else resolve(response)
        })
      }),
    close: () => client.close(),
  }
}
