import { Agent as PlainAgent, type IncomingHttpHeaders, request as requestPlainly } from 'node:http'
import { Agent as TlsAgent, request as requestByTls } from 'node:https'

export type WebAnswer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string }

export type WebRequest = {
  readonly method?: string
  /** A list of values is as many headers. */
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: string
}

/** What a client shows and trusts, in PEM. */
export type Identification = { readonly ca: string; readonly cert?: string; readonly key?: string }

export type WebClient = {
  /** Sends the target as it stands, in whatever spelling. */
  send(target: string, request?: WebRequest): Promise<WebAnswer>
  close(): void
}

const WITHIN_MILLIS = 10_000

/** An HTTP/1.1 client with up to so many connections, each used again and again. */
export function webClient(address: string, { connections = 1, tls }: { readonly connections?: number; readonly tls?: Identification } = {}): WebClient {
  const [host, port] = address.split(':')
  const options = { keepAlive: true, maxSockets: connections }
  const agent = tls === undefined ? new PlainAgent(options) : new TlsAgent({ ...options, ...tls })
  const request = tls === undefined ? requestPlainly : requestByTls
  return {
    send: (target, { method = 'GET', headers = {}, body = '' } = {}) =>
      new Promise((done, fail) => {
        const sent = request({ host, port, path: target, method, headers, agent, timeout: WITHIN_MILLIS }, (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk)).once('error', fail)
          response.once('end', () => done({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }))
        })
        sent.once('timeout', () => sent.destroy(new Error(`${method} ${target} had no answer in time`)))
        sent.once('error', fail)
        sent.end(body)
      }),
    close: () => agent.destroy(),
  }
}

const UNDECIDED = 503
const TIMES = 10

/** Again where there was no decision, as there may be none in time on a machine that is too busy. */
export async function sendUntilDecided(client: WebClient, target: string, request?: WebRequest): Promise<WebAnswer> {
  for (let times = 1; ; times += 1) {
    const answer = await client.send(target, request)
    if (answer.status !== UNDECIDED || times === TIMES) return answer
  }
}
