import type { UniversalAuth } from '#libs/wire/gen/countersign/exchange/v1/universal_auth.js'
import type { Answer } from './answer.js'
import { record } from './table.js'

/** The Universal Auth of an identity, for people and programs. */
export function universalAuthAnswer(identity: string, method: UniversalAuth): Answer {
  const { accessTokenUseLimit, accessTokenPeriodSeconds, lockout } = method
  const slowed = lockout && `after ${lockout.threshold} failures for ${lockout.durationSeconds} s, forgotten after ${lockout.counterResetSeconds} s`
  return {
    document: method,
    ids: [method.clientId],
    lines: record([
      ['identity', identity],
      ['client id', method.clientId],
      ['tokens live', `${method.accessTokenTtlSeconds} s`],
      ['over all renewals', `${method.accessTokenMaxTtlSeconds} s`],
      ['periodic', accessTokenPeriodSeconds === 0 ? 'no' : `${accessTokenPeriodSeconds} s, without end`],
      ['uses of a token', accessTokenUseLimit === 0 ? 'any number' : accessTokenUseLimit],
      ['tokens used from', method.accessTokenTrustedIps?.cidrs.join(', ')],
      ['logins from', method.clientSecretTrustedIps?.cidrs.join(', ')],
      ['failed logins', lockout?.enabled ? `slowed ${slowed}` : 'counted by their source alone'],
      ['updated', method.updateTime],
    ]),
  }
}
