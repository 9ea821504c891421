import { wrongUsage } from './failure.js'
import type { Environment } from './variables.js'

// Which auth method a command proves itself by, and what goes with which. Options win over the environment.

export const ASSERTION_METHODS = ['kubernetes-auth', 'oidc-auth', 'jwt-auth'] as const
export const LOGIN_METHODS = ['universal-auth', ...ASSERTION_METHODS] as const

/** By which an identity shows a JWT of somebody else's. */
export type AssertionMethod = (typeof ASSERTION_METHODS)[number]
export type LoginMethod = (typeof LOGIN_METHODS)[number]
/** Token Auth has no login: its tokens can be renewed. */
export type Method = LoginMethod | 'token-auth'

export type MethodOptions = {
  readonly method?: string | undefined
  readonly credentialsFile?: string | undefined
  readonly clientId?: string | undefined
  readonly clientSecretFile?: string | undefined
  readonly identity?: string | undefined
  readonly assertionFile?: string | undefined
  readonly tokenFile?: string | undefined
}

const OF_CLIENT = ['credentialsFile', 'clientId', 'clientSecretFile'] as const
const OF_ASSERTION = ['identity', 'assertionFile'] as const
const OF_TOKEN = ['tokenFile'] as const
const NAMED = [...OF_CLIENT, ...OF_ASSERTION, ...OF_TOKEN] as const

type Named = (typeof NAMED)[number]

const taken: Readonly<Record<Method, readonly Named[]>> = {
  'universal-auth': OF_CLIENT,
  'kubernetes-auth': OF_ASSERTION,
  'oidc-auth': OF_ASSERTION,
  'jwt-auth': OF_ASSERTION,
  'token-auth': OF_TOKEN,
}

const optionNames: Readonly<Record<Named, string>> = {
  credentialsFile: '--credentials-file',
  clientId: '--client-id',
  clientSecretFile: '--client-secret-file',
  identity: '--identity',
  assertionFile: '--assertion-file',
  tokenFile: '--token-file',
}

/** Throws where an option was given that the method has no use for, and names each. */
export function methodOf(options: MethodOptions, { COUNTERSIGN_METHOD }: Environment): Method {
  const { method: named, ...others } = options
  // Whoever names a client or its file means it, whatever the environment is for.
  const standard = OF_CLIENT.some((name) => others[name] !== undefined) ? undefined : COUNTERSIGN_METHOD || undefined
  const method = parsed(named ?? standard ?? 'universal-auth', named === undefined ? 'COUNTERSIGN_METHOD' : '--method')
  const unfit = NAMED.filter((name) => others[name] !== undefined && !taken[method].includes(name))
  if (unfit.length > 0) throw wrongUsage(`${textOf(unfit)} can't go with ${method}, which takes ${textOf(taken[method])}: name another --method, or COUNTERSIGN_METHOD.`)
  return method
}

export const isAssertionMethod = (method: Method): method is AssertionMethod => ASSERTION_METHODS.some((one) => one === method)

const textOf = (names: readonly Named[]): string => names.map((name) => optionNames[name]).join(', ')

function parsed(text: string, where: string): Method {
  const method = [...LOGIN_METHODS, 'token-auth' as const].find((one) => one === text)
  if (method === undefined) throw wrongUsage(`${where} is none of ${LOGIN_METHODS.join(', ')}, and for \`agent\` token-auth: ${text}`)
  return method
}
