import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Files } from './certificate-authority.js'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

export type HttpsServer = {
  readonly port: number
  /** Every request that came, as `GET /path`, and who its Host header says is meant. */
  readonly asked: { readonly line: string; readonly host: string; readonly authorization: string }[]
  /** Connections that were made, whether or not anything was asked. */
  connections(): number
  /** Lets a process end though it listens. */
  unref(): void
  /** What it answers from now on. */
  answer(handler: Handler): void
  close(): Promise<void>
}

/** A server of HTTPS on loopback that does what a test says. */
export async function startHttpsServer({ certificateFile, keyFile }: Files, handler: Handler): Promise<HttpsServer> {
  let current = handler
  let connections = 0
  const asked: HttpsServer['asked'] = []
  const server = createServer({ cert: readFileSync(certificateFile), key: readFileSync(keyFile) }, (request, response) => {
    const { method = '', url = '', headers } = request
    asked.push({ line: `${method} ${url}`, host: headers.host ?? '', authorization: headers.authorization ?? '' })
    current(request, response)
  })
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: portOf(server.address()),
    asked,
    connections: () => connections,
    unref: () => void server.unref(),
    answer: (next) => {
      current = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const portOf = (address: AddressInfo | string | null): number => (address !== null && typeof address === 'object' ? address.port : 0)

export const json = (body: unknown, status = 200): Handler => (_request, response) => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body))
}
