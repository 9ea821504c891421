import type { Target } from './request-target.js'

/** A request as a proxy describes it. */
export type HttpRequest = {
  readonly method: string
  /** As it came, with its port where it has one. */
  readonly host: string
  readonly target: Target
  readonly headers: Headers
}

/** By their names in lower case; undefined where there is one, or are several, and no telling what it says. */
export type Headers = ReadonlyMap<string, string | undefined>

const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]*[a-z0-9_-])(?::\d{1,5})?$/

/** In lower case, without the port. One that ends in a dot is the same host to some, and another to others. */
export const hostOf = ({ host }: HttpRequest): string | undefined => HOST.exec(host.toLowerCase())?.[1]

export const methodOf = ({ method }: HttpRequest): string | undefined => (method === '' ? undefined : method.toLowerCase())

export const headerOf = ({ headers }: HttpRequest, name: string): string | undefined => headers.get(name)

/**
 * The parameter of the query, percent-encoding undone once. There is no telling what a server takes it for where it occurs
 * twice, in another case or as a list (`name[]`) too, and where `;` or `+` may mean something else than themselves.
 */
export function queryOf({ target: { query } }: HttpRequest, name: string): string | undefined {
  if (query.includes(';')) return undefined
  const [only, ...more] = query.split('&').filter((pair) => isNamed(name, nameIn(pair)))
  if (only === undefined || more.length > 0 || nameIn(only) !== name) return undefined
  const value = only.includes('=') ? only.slice(only.indexOf('=') + 1) : ''
  return value.includes('+') ? undefined : decodedOnce(value)
}

/** Undefined where it may be anything to anybody. */
function nameIn(pair: string): string | undefined {
  const [name = ''] = pair.split('=', 1)
  return name.includes('+') ? undefined : decodedOnce(name)
}

const isNamed = (name: string, given: string | undefined): boolean =>
  given === undefined || (given.split('[', 1)[0] ?? '').toLowerCase() === name.toLowerCase()

const NEVER_IN_A_VALUE = /[\p{Cc}\ufffd]/u

function decodedOnce(text: string): string | undefined {
  try {
    const decoded = text.includes('%') ? decodeURIComponent(text) : text
    return NEVER_IN_A_VALUE.test(decoded) ? undefined : decoded
  } catch {
    return undefined
  }
}

/** Of a call of gRPC: `/package.Service/Method`. */
export function grpcOf({ target, headers }: HttpRequest): { readonly service: string; readonly method: string } | undefined {
  const [service, method, ...more] = target.segments
  if (service === undefined || method === undefined || more.length > 0 || target.query !== '') return undefined
  return headers.get('content-type')?.startsWith('application/grpc') === true ? { service, method } : undefined
}
