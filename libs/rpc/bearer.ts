import type { Metadata } from '@grpc/grpc-js'
import { DomainError } from '../domain-error.js'

export const accessTokenMissing = (): DomainError =>
  new DomainError('UNAUTHENTICATED', 'ACCESS_TOKEN_MISSING', 'Send one access token, as `authorization: Bearer ACCESS_TOKEN`.')

/** The one token of the `authorization` metadata. Two of them, another scheme, or what no token can be as long as, are none. */
export function bearerToken(metadata: Metadata): string {
  const values = metadata.get('authorization')
  const [value] = values
  const match = typeof value === 'string' && values.length === 1 ? /^bearer ([^ ]{1,4096})$/i.exec(value) : null
  if (!match?.[1]) throw accessTokenMissing()
  return match[1]
}
