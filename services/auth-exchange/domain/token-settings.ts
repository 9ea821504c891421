import type { Report } from '#libs/domain-error.js'
import { DEFAULT_MAX_TTL_SECONDS, DEFAULT_TTL_SECONDS, type Lifetimes, lifetimesFrom, secondsUpToCeiling } from './access-token.js'
import { EVERYWHERE, trustedIpsOver } from './trusted-ip.js'

/** What an auth method gives the tokens that it issues: frozen in them at the login, but for the addresses, which count as they are. */
export type TokenSettings = Lifetimes & {
  /** Null: any number of questions may be asked with a token. */
  readonly accessTokenUseLimit: number | null
  /** Null: not periodic. A periodic token lives so long, and may be renewed without end: its TTLs mean nothing. */
  readonly accessTokenPeriodSeconds: number | null
  /** From where a token may be used. */
  readonly accessTokenTrustedIps: readonly string[]
}

export const STANDARD_SETTINGS: TokenSettings = {
  accessTokenTtlSeconds: DEFAULT_TTL_SECONDS,
  accessTokenMaxTtlSeconds: DEFAULT_MAX_TTL_SECONDS,
  accessTokenUseLimit: null,
  accessTokenPeriodSeconds: null,
  accessTokenTrustedIps: EVERYWHERE,
}

/** The settings alone, as they are audited. */
export const tokenSettingsOf = (method: TokenSettings): TokenSettings => {
  const { accessTokenTtlSeconds, accessTokenMaxTtlSeconds, accessTokenUseLimit, accessTokenPeriodSeconds, accessTokenTrustedIps } = method
  return { accessTokenTtlSeconds, accessTokenMaxTtlSeconds, accessTokenUseLimit, accessTokenPeriodSeconds, accessTokenTrustedIps }
}

export type AskedSettings = {
  readonly accessTokenTtlSeconds?: number | undefined
  readonly accessTokenMaxTtlSeconds?: number | undefined
  readonly accessTokenUseLimit?: number | undefined
  readonly accessTokenPeriodSeconds?: number | undefined
  readonly accessTokenTrustedIps?: { readonly cidrs: readonly string[] } | undefined
}

const MAX_USE_LIMIT = 1_000_000_000

/** What is asked for over what holds already. */
export function tokenSettingsFrom(asked: AskedSettings, current: TokenSettings, at: (field: string) => Report): TokenSettings {
  return {
    ...lifetimesFrom(asked, current, at),
    accessTokenUseLimit: useLimit(asked.accessTokenUseLimit, current.accessTokenUseLimit, at('access_token_use_limit')),
    accessTokenPeriodSeconds: period(asked.accessTokenPeriodSeconds, current.accessTokenPeriodSeconds, at('access_token_period_seconds')),
    accessTokenTrustedIps: trustedIpsOver(asked.accessTokenTrustedIps, current.accessTokenTrustedIps, (path) => at(`access_token_trusted_ips.${path}`)),
  }
}

function useLimit(asked: number | undefined, current: number | null, report: Report): number | null {
  if (asked === undefined) return current
  if (asked < 0 || asked > MAX_USE_LIMIT) report(`must be a whole number from 0 to ${MAX_USE_LIMIT}`)
  return asked === 0 ? null : asked
}

function period(asked: number | undefined, current: number | null, report: Report): number | null {
  if (asked === undefined) return current
  return asked === 0 ? null : (secondsUpToCeiling(asked, report) ?? null)
}
