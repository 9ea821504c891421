import type { AuthMethod } from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import type { Cell } from './table.js'

const EVERYWHERE = '0.0.0.0/0 ::/0'

export const authMethodFields = (identityName: string, method: AuthMethod): (readonly [string, Cell])[] => [
  ['identity', identityName],
  ['method', method.method],
  ['id', method.id],
  ['token ttl', `${method.accessTokenTtlSeconds} s`],
  ['at the most', `${method.accessTokenMaxTtlSeconds} s`],
  ['period', method.accessTokenPeriodSeconds === 0 ? 'none' : `${method.accessTokenPeriodSeconds} s`],
  ['token uses', usesOf(method)],
  ['tokens from', addressesOf(method)],
]

export const usesOf = ({ accessTokenUseLimit }: AuthMethod): Cell => (accessTokenUseLimit === 0 ? 'any number' : accessTokenUseLimit)

export function addressesOf({ accessTokenTrustedIps }: AuthMethod): string {
  const cidrs = (accessTokenTrustedIps?.cidrs ?? []).join(' ')
  return cidrs === EVERYWHERE ? 'anywhere' : cidrs
}
