import { isIPv6 } from 'node:net'
import { isLoopback } from '#libs/env.js'
import { timeText } from '../table.js'
import type { View } from './keeper.js'

// What is answered over HTTP: pure. Whoever may open the connection may have the token; what is kept out is a program that was
// talked into a request it does not know of: a server that fetches what somebody names (it can't add a header), and a page in a
// browser (it would need our leave for the header, and names a host of its own).

export type Asked = {
  readonly method: string | undefined
  readonly url: string | undefined
  /** Each header as often as it came. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>
}

export type Told = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: unknown }

/** Over a socket the host means nothing; over TCP a name of somebody else's that leads here is an attack. */
export type Door = 'socket' | 'loopback'

type Around = { readonly view: View; readonly door: Door; readonly wallMillis: number }

export const AGENT_HEADER = 'countersign-agent'

/** Set by proxies and browsers, and by nobody who asks for a token of their own. */
const OF_OTHERS = ['x-forwarded-for', 'forwarded', 'via', 'origin'] as const

export function answerRequest(asked: Asked, { view, door, wallMillis }: Around): Told {
  const { method, url, headers } = asked
  if (door === 'loopback' && !isOurHost(headers['host'])) return refusal(403, 'HOST_NOT_LOOPBACK', 'The Host header must name a loopback address.')
  if (OF_OTHERS.some((name) => headers[name] !== undefined)) return refusal(403, 'NOT_ASKED_DIRECTLY', 'A request that came through a proxy or from a page is not answered.')
  if (url === undefined || !['/token', '/ready', '/live'].includes(url)) return refusal(404, 'NO_SUCH_PATH', 'There are /token, /ready and /live.')
  if (method !== 'GET') return { ...refusal(405, 'METHOD_NOT_ALLOWED', 'Only GET is answered.'), headers: { allow: 'GET' } }
  if (url === '/live') return { status: 200, headers: {}, body: { live: true } }
  if (url === '/ready') return { status: view.isReady ? 200 : 503, headers: view.isReady ? {} : later(view), body: { ready: view.isReady, reason: view.reason } }
  const [value, ...more] = headers[AGENT_HEADER] ?? []
  if (value !== 'true' || more.length > 0) return refusal(403, 'HEADER_REQUIRED', 'Send the header `Countersign-Agent: true`.')
  return tokenTold(view, wallMillis)
}

function tokenTold(view: View, wallMillis: number): Told {
  const { token, remainingMillis, reason = 'NO_TOKEN' } = view
  if (token === undefined) return { ...refusal(503, reason, 'There is no token at the moment.'), headers: later(view) }
  const { accessToken, tokenId, identityId, organizationId } = token
  const expireTime = timeText(new Date(wallMillis + remainingMillis))
  return { status: 200, headers: {}, body: { accessToken, tokenType: 'Bearer', expireTime, expiresInSeconds: Math.floor(remainingMillis / 1000), tokenId, identityId, organizationId } }
}

const codes: Readonly<Record<403 | 404 | 405 | 503, string>> = { 403: 'PERMISSION_DENIED', 404: 'NOT_FOUND', 405: 'INVALID_ARGUMENT', 503: 'UNAVAILABLE' }

const refusal = (status: keyof typeof codes, reason: string, message: string): Told => ({ status, headers: {}, body: { error: { code: codes[status], reason, message } } })

const later = ({ retryInMillis }: View): Record<string, string> => ({ 'retry-after': String(Math.max(1, Math.ceil(retryInMillis / 1000))) })

function isOurHost(given: readonly string[] | undefined): boolean {
  const [host, ...more] = given ?? []
  if (host === undefined || more.length > 0) return false
  const [, name = ''] = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::\d{1,5})?$/i.exec(host) ?? []
  const bare = name.startsWith('[') ? name.slice(1, -1) : name
  return name.startsWith('[') === isIPv6(bare) && isLoopback(bare.toLowerCase())
}
