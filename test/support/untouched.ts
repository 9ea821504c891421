/** The settings of an auth method of which a request says nothing. */
export const untouched = {
  accessTokenTtlSeconds: undefined,
  accessTokenMaxTtlSeconds: undefined,
  accessTokenUseLimit: undefined,
  accessTokenPeriodSeconds: undefined,
  accessTokenTrustedIps: undefined,
  clientSecretTrustedIps: undefined,
  lockout: undefined,
}
