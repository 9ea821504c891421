import { request as httpsRequest, type RequestOptions } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { isIP, type LookupFunction } from 'node:net'
import type { Subnet } from '../rules/subnet.js'
import { isReachable } from './reachable-address.js'
import { resolveName, type ResolveName } from './resolve-name.js'
import { turns } from './turns.js'

// The one way to ask a URL that somebody else configured: a customer's issuer or API server, or what it names in its turn.
// HTTPS only, to an address that was judged and is the one connected to, without redirects, of bounded size and time. What
// went wrong is for the log: whoever made us ask would learn from it what this machine can see.

export type Question = {
  readonly url: string
  /** In PEM, in place of the public ones. */
  readonly caCertificate?: string | undefined
  /** Goes to the host of the URL and to no other. */
  readonly bearer?: string
  /** Posted as JSON; without it the URL is read. */
  readonly body?: unknown
  /** Whose doing the request is: each has so many at once. */
  readonly account: string
}

/** The JSON of an answer of success; of any other there is only the status. */
export type Answer = { readonly status: number; readonly json?: unknown }

export type Outbound = { ask(question: Question): Promise<Answer> }

/** That there was no answer, and why. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
}

export type OutboundOptions = {
  readonly allowedNetworks: readonly Subnet[]
  readonly resolve?: ResolveName
  /** For all of a request, its wait for a turn included. */
  readonly maxMillis?: number
}

const MAX_MILLIS = 5_000
const MAX_BYTES = 256 * 1024
const MAX_HEADER_BYTES = 16 * 1024
const TOO_LATE = 'it took too long'

export function outbound({ allowedNetworks, resolve = resolveName, maxMillis = MAX_MILLIS }: OutboundOptions): Outbound {
  const taken = turns()
  const judged = async (host: string): Promise<readonly string[]> => {
    const addresses = (isIP(host) === 0 ? await resolve(host) : [host]).filter((address) => isIP(address) !== 0)
    if (addresses.length === 0) throw new NoAnswer(`${host} has no address`)
    const reachable = addresses.filter((address) => isReachable(address, allowedNetworks))
    if (reachable.length === 0) throw new NoAnswer(`${host} has no address that may be asked: its addresses are private, reserved or of metadata`)
    return reachable
  }
  return {
    ask: async (question) => {
      const signal = AbortSignal.timeout(maxMillis)
      return orAborted(signal, taken(question.account, async () => {
        signal.throwIfAborted()
        const url = httpsUrlOf(question.url)
        const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
        const addresses = await judged(host)
        return read(await answerOf(question, { url, host, addresses, signal }))
      }))
    },
  }
}

type Target = { readonly url: URL; readonly host: string; readonly addresses: readonly string[]; readonly signal: AbortSignal }

function httpsUrlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') throw new NoAnswer('the URL is none of https without credentials')
  return url
}

function answerOf({ bearer, body, caCertificate }: Question, { url, host, addresses, signal }: Target): Promise<IncomingMessage> {
  const text = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  const options: RequestOptions = {
    host,
    port: url.port === '' ? 443 : url.port,
    path: url.pathname + url.search,
    method: text ? 'POST' : 'GET',
    headers: {
      host: url.host,
      accept: 'application/json',
      'accept-encoding': 'identity',
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      ...(text && { 'content-type': 'application/json', 'content-length': text.length }),
    },
    // Asked again, the name could have another address: these are the ones that were judged.
    lookup: onlyTo(addresses),
    // No connection is shared with a request that another configuration made.
    agent: false,
    servername: isIP(host) === 0 ? host : '',
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    maxHeaderSize: MAX_HEADER_BYTES,
    signal,
    ...(caCertificate !== undefined && { ca: caCertificate }),
  }
  return new Promise((resolve, reject) => {
    const sent = httpsRequest(options, resolve)
    sent.on('error', reject)
    // A protocol that the server switches to is none that we asked for.
    sent.on('upgrade', (_answer, socket) => {
      socket.destroy()
      reject(new NoAnswer('the server switched protocols'))
    })
    sent.end(text)
  })
}

const onlyTo = (addresses: readonly string[]): LookupFunction => (_host, options, callback) => {
  const found = addresses.map((address) => ({ address, family: isIP(address) }))
  const [first = { address: '', family: 0 }] = found
  if (options.all === true) callback(null, found)
  else callback(null, first.address, first.family)
}

async function read(answer: IncomingMessage): Promise<Answer> {
  const { statusCode: status = 0, headers } = answer
  try {
    if (status >= 300 && status < 400) throw new NoAnswer(`the server answered with a redirect (${status}), which is not followed`)
    if (status < 200 || status >= 300) return { status }
    if (headers['content-encoding'] !== undefined) throw new NoAnswer('the answer is compressed, which was not asked for')
    if (!isJson(headers['content-type'])) throw new NoAnswer('the answer is no JSON')
    if (Number(headers['content-length'] ?? 0) > MAX_BYTES) throw tooLong()
    return { status, json: parsed(await bytesOf(answer)) }
  } finally {
    answer.destroy()
  }
}

const isJson = (type = ''): boolean => /^application\/(?:[a-z0-9.-]+\+)?json *(?:;|$)/i.test(type)

const tooLong = () => new NoAnswer(`the answer is longer than ${MAX_BYTES} bytes`)

async function bytesOf(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of answer) {
    if (!Buffer.isBuffer(chunk)) throw new Error('a response without an encoding is read as bytes')
    length += chunk.length
    if (length > MAX_BYTES) throw tooLong()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new NoAnswer('the answer is no JSON')
  }
}

/** The work's outcome, or that it took too long: resolving a name can't be stopped, only not be waited for. */
function orAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new NoAnswer(TOO_LATE))
    signal.addEventListener('abort', late, { once: true })
    work.then(resolve, (error: unknown) => reject(asNoAnswer(error, signal))).finally(() => signal.removeEventListener('abort', late))
  })
}

function asNoAnswer(error: unknown, signal: AbortSignal): NoAnswer {
  if (error instanceof NoAnswer) return error
  if (signal.aborted) return new NoAnswer(TOO_LATE)
  return new NoAnswer(error instanceof Error ? error.message : String(error), { cause: error })
}
