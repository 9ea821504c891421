import type { Report } from '#libs/domain-error.js'
import type { TokenSettings } from './token-settings.js'
import { UNIVERSAL_AUTH, type UniversalAuth } from './universal-auth.js'

export const TOKEN_AUTH = 'token-auth'
export const KUBERNETES_AUTH = 'kubernetes-auth'
export const OIDC_AUTH = 'oidc-auth'
export const JWT_AUTH = 'jwt-auth'

/** Those by which a workload shows an assertion of somebody else. */
export const ASSERTION_METHODS = [KUBERNETES_AUTH, OIDC_AUTH, JWT_AUTH] as const

/** Every auth method but Universal Auth: each has a folder in methods/ and a configuration of its own. */
export const CONFIGURED_METHODS = [TOKEN_AUTH, ...ASSERTION_METHODS] as const

export type AssertionMethod = (typeof ASSERTION_METHODS)[number]
export type ConfiguredMethod = (typeof CONFIGURED_METHODS)[number]
export type MethodName = ConfiguredMethod | typeof UNIVERSAL_AUTH

/** What is stored of a configuration: whatever its method made of what was asked for. */
export type Configuration = Readonly<Record<string, unknown>>

/** An auth method of an identity. */
export type AuthMethod = TokenSettings & {
  readonly organizationId: string
  readonly identityId: string
  /** A name that an earlier version of this service may not know. */
  readonly method: string
  /** What the tokens of the method name as their credential. Empty for Universal Auth, whose tokens name a client secret. */
  readonly id: string
  readonly configuration: Configuration
  /** A fresh value voids every token that the method issued. */
  readonly epoch: string
  readonly createTime: Date
  readonly updateTime: Date
  readonly etag: string
}

/** Universal Auth with what it has in common with the others. */
export const inCommon = (universalAuth: UniversalAuth): AuthMethod => ({ ...universalAuth, method: UNIVERSAL_AUTH, id: '', configuration: {} })

export const isConfigured = (method: string): method is ConfiguredMethod => CONFIGURED_METHODS.some((name) => name === method)

const isMethodName = (method: string): method is MethodName => method === UNIVERSAL_AUTH || isConfigured(method)

/** The name of any method; reported where there is no such method. */
export function methodName(text: string, report: Report): MethodName {
  if (isMethodName(text)) return text
  report(`must be ${[UNIVERSAL_AUTH, ...CONFIGURED_METHODS].join(' or ')}`)
  return UNIVERSAL_AUTH
}

/** The name of any method but Universal Auth, of which more can be said than here. */
export function configuredMethodName(text: string, report: Report): ConfiguredMethod {
  if (isConfigured(text)) return text
  report(text === UNIVERSAL_AUTH ? 'must be another: UpdateUniversalAuth changes Universal Auth' : `must be ${CONFIGURED_METHODS.join(' or ')}`)
  return TOKEN_AUTH
}
