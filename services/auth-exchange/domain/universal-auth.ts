import type { Lifetimes } from './access-token.js'

export const UNIVERSAL_AUTH = 'universal-auth'

/** The auth method of a client id and a client secret, on one identity. */
export type UniversalAuth = Lifetimes & {
  readonly organizationId: string
  readonly identityId: string
  readonly clientId: string
  /** A fresh value voids every token that the method issued. */
  readonly epoch: string
  readonly createTime: Date
  readonly updateTime: Date
  readonly etag: string
}
