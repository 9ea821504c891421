import type { Report } from '#libs/domain-error.js'
import { integer } from '#libs/fields.js'
import { type LockoutSettings, STANDARD_LOCKOUT } from './lockout.js'
import { type AskedSettings, STANDARD_SETTINGS, type TokenSettings, tokenSettingsFrom, tokenSettingsOf } from './token-settings.js'
import { EVERYWHERE, trustedIpsOver } from './trusted-ip.js'

export const UNIVERSAL_AUTH = 'universal-auth'

export type UniversalAuthSettings = TokenSettings & LockoutSettings & { readonly clientSecretTrustedIps: readonly string[] }

/** The auth method of a client id and a client secret, on one identity. */
export type UniversalAuth = UniversalAuthSettings & {
  readonly organizationId: string
  readonly identityId: string
  readonly clientId: string
  /** A fresh value voids every token that the method issued. */
  readonly epoch: string
  readonly createTime: Date
  readonly updateTime: Date
  readonly etag: string
}

export const STANDARD_UNIVERSAL_AUTH: UniversalAuthSettings = {
  ...STANDARD_SETTINGS,
  clientSecretTrustedIps: EVERYWHERE,
  ...STANDARD_LOCKOUT,
}

type AskedLockout = {
  readonly enabled?: boolean | undefined
  readonly threshold?: number | undefined
  readonly durationSeconds?: number | undefined
  readonly counterResetSeconds?: number | undefined
}

type Asked = AskedSettings & { readonly clientSecretTrustedIps?: { readonly cidrs: readonly string[] } | undefined; readonly lockout?: AskedLockout | undefined }

/** What is asked for over what holds already. */
export function universalAuthSettingsFrom(asked: Asked, current: UniversalAuthSettings, at: (field: string) => Report): UniversalAuthSettings {
  const { enabled, threshold, durationSeconds, counterResetSeconds } = asked.lockout ?? {}
  const number = (value: number | undefined, field: string, range: { held: number; min: number; max: number }) =>
    value === undefined ? range.held : integer(value, range, at(`lockout.${field}`))
  return {
    ...tokenSettingsFrom(asked, current, at),
    clientSecretTrustedIps: trustedIpsOver(asked.clientSecretTrustedIps, current.clientSecretTrustedIps, (path) => at(`client_secret_trusted_ips.${path}`)),
    lockoutEnabled: enabled ?? current.lockoutEnabled,
    lockoutThreshold: number(threshold, 'threshold', { held: current.lockoutThreshold, min: 1, max: 30 }),
    lockoutDurationSeconds: number(durationSeconds, 'duration_seconds', { held: current.lockoutDurationSeconds, min: 30, max: 86_400 }),
    lockoutCounterResetSeconds: number(counterResetSeconds, 'counter_reset_seconds', { held: current.lockoutCounterResetSeconds, min: 5, max: 3_600 }),
  }
}

/** The settings alone, as they are audited. */
export const settingsOf = (method: UniversalAuthSettings): UniversalAuthSettings => {
  const { clientSecretTrustedIps, lockoutEnabled, lockoutThreshold, lockoutDurationSeconds, lockoutCounterResetSeconds } = method
  return { ...tokenSettingsOf(method), clientSecretTrustedIps, lockoutEnabled, lockoutThreshold, lockoutDurationSeconds, lockoutCounterResetSeconds }
}
