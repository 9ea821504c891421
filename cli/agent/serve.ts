import { once } from 'node:events'
import { chmodSync, lstatSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, isIP } from 'node:net'
import { resolve } from 'node:path'
import { wallMillis } from '#libs/clock.js'
import { isLoopback } from '#libs/env.js'
import { wrongUsage } from '../failure.js'
import { answerRequest, type Door } from './answer-request.js'
import { assertGuardedFolder } from './guarded-folder.js'
import type { View } from './keeper.js'

/** Where applications ask. */
export type Serving = { readonly where: string; readonly close: () => Promise<void> }

// Nobody needs more, and a peer that dawdles must not keep others out.
const LIMITS = { maxHeaderSize: 8_192, headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000 } as const
const MAX_CONNECTIONS = 256
const CLOSE_MILLIS = 1_000
// Of sockaddr_un on Linux; what is longer would be cut off without a word.
const MAX_SOCKET_PATH_BYTES = 107

const ADDRESS = /^(localhost|\d+\.\d+\.\d+\.\d+|\[[0-9a-f:.]+\]):(\d{1,5})$/

/** `host:port` of this machine, as it is to be listened on. */
export function loopbackAddress(text: string): { readonly host: string; readonly port: number } {
  const [, name = '', port = ''] = ADDRESS.exec(text) ?? []
  // A name is whatever a file or a server says that it is: this one is not asked for.
  const host = name === 'localhost' ? '127.0.0.1' : name.replace(/^\[|\]$/g, '')
  if (isIP(host) === 0 || Number(port) > 65_535) throw wrongUsage(`--listen ${text} is not an address: write 127.0.0.1:PORT.`)
  if (!isLoopback(host)) throw wrongUsage(`--listen ${text} would give the token to the network: only 127.0.0.1, [::1] and localhost are listened on.`)
  return { host, port: Number(port) }
}

export async function serveLoopback(text: string, view: () => View): Promise<Serving> {
  const { host, port } = loopbackAddress(text)
  const server = serverOf(view, 'loopback')
  await listening(server, text, () => server.listen({ host, port }))
  const bound = server.address()
  const actual = typeof bound === 'object' && bound !== null ? bound.port : port
  return { where: `${host.includes(':') ? `[${host}]` : host}:${actual}`, close: () => closed(server) }
}

export async function serveSocket(given: string, view: () => View): Promise<Serving> {
  const path = resolve(given)
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) throw wrongUsage(`--socket ${path} is too long: ${MAX_SOCKET_PATH_BYTES} bytes is what a socket's path may have.`)
  assertGuardedFolder(path)
  await removeStale(path)
  const server = serverOf(view, 'socket')
  const before = process.umask(0o177)
  try {
    await listening(server, path, () => {
      server.listen({ path })
      process.umask(before)
    })
  } finally {
    process.umask(before)
  }
  chmodSync(path, 0o600)
  return { where: path, close: () => closed(server) }
}

function serverOf(view: () => View, door: Door): Server {
  const server = createServer(LIMITS, (request, response) => respond(request, response, { view: view(), door }))
  server.maxConnections = MAX_CONNECTIONS
  return server
}

function respond({ method, url, headersDistinct }: IncomingMessage, response: ServerResponse, { view, door }: { readonly view: View; readonly door: Door }): void {
  const { status, headers, body } = answerRequest({ method, url, headers: headersDistinct }, { view, door, wallMillis: wallMillis() })
  const text = `${JSON.stringify(body)}\n`
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'content-length': Buffer.byteLength(text), ...headers }).end(text)
}

async function listening(server: Server, where: string, begin: () => void): Promise<void> {
  const heard = once(server, 'listening')
  begin()
  try {
    await heard
  } catch (error) {
    throw wrongUsage(`Can't listen on ${where}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function closed(server: Server): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MILLIS)
    server.close(() => {
      clearTimeout(timer)
      done()
    })
    server.closeIdleConnections()
  })
}

/** A socket that nobody answers on was left by a process that ended without a chance to remove it. */
async function removeStale(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return
  if (!stat.isSocket()) throw wrongUsage(`${path} is there and no socket: it is not replaced. Name another path for --socket, or remove it.`)
  const outcome = await new Promise<string>((tell) => {
    const probe = connect({ path })
    probe.once('connect', () => {
      probe.destroy()
      tell('alive')
    })
    probe.once('error', (error: NodeJS.ErrnoException) => tell(error.code ?? error.message))
  })
  if (outcome === 'alive') throw wrongUsage(`Something listens on ${path} already: another agent? It is not replaced.`)
  if (outcome !== 'ECONNREFUSED' && outcome !== 'ENOENT') throw wrongUsage(`${path} can't be looked at (${outcome}): it is not replaced.`)
  rmSync(path, { force: true })
}
