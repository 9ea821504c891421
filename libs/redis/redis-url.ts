import { z } from 'zod'

// One address for one Redis, or for the Sentinels that know which one it is at the moment. The form with Sentinels is that of
// Celery and others; it is one variable, so that user and password stay in one place, and in one Secret, in either case.

export type Sentinels = {
  readonly places: readonly { readonly host: string; readonly port: number }[]
  /** By which the Sentinels know the Redis that they watch. */
  readonly name: string
  /** For Redis. */
  readonly username: string | undefined
  readonly password: string | undefined
  /** For the Sentinels, where they ask for one. */
  readonly sentinelUsername: string | undefined
  readonly sentinelPassword: string | undefined
}

const FORM = /^rediss?\+sentinel:\/\/(?:(?<username>[^:@/]*)(?::(?<password>[^@/]*))?@)?(?<places>[^@/?]+)\/(?<name>[\w.-]+)(?:\?(?<query>.*))?$/
const PLACE = /^(?:\[(?<address>[\da-fA-F:.]+)\]|(?<host>[^[\]:]+))(?::(?<port>\d{1,5}))?$/
const STANDARD_PORT = '26379'

export const isByTls = (url: string): boolean => url.startsWith('rediss')

/** Undefined where the URL names one Redis, or nothing that can be understood. */
export function sentinelsIn(url: string): Sentinels | undefined {
  const { username, password, places = '', name, query } = FORM.exec(url)?.groups ?? {}
  const found = places.split(',').map(placeFrom)
  const asked = new URLSearchParams(query)
  if (name === undefined || found.includes(undefined) || [...asked.keys()].some((key) => key !== 'sentinel_username' && key !== 'sentinel_password')) return undefined
  try {
    return {
      places: found.filter((place) => place !== undefined),
      name,
      username: decoded(username),
      password: decoded(password),
      sentinelUsername: asked.get('sentinel_username') ?? undefined,
      sentinelPassword: asked.get('sentinel_password') ?? undefined,
    }
  } catch {
    return undefined
  }
}

function placeFrom(text: string) {
  const { address, host = address, port = STANDARD_PORT } = PLACE.exec(text)?.groups ?? {}
  return host === undefined ? undefined : { host, port: Number(port) }
}

/** Of one Redis. */
export function placeIn(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url)
  return { host: hostname === '' ? 'localhost' : hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 6379 : Number(port) }
}

const decoded = (text: string | undefined): string | undefined => (text === undefined || text === '' ? undefined : decodeURIComponent(text))

const FORMS = 'must be redis://[user:password@]host:port, or redis+sentinel://[user:password@]host:port,host:port/NAME, or the same with rediss for TLS'

/** Redis is a cache and no service needs it: without the variable there is none. */
export const redisUrl = z.string().refine((url) => (/^rediss?:\/\//.test(url) && URL.canParse(url)) || sentinelsIn(url) !== undefined, FORMS).optional()
