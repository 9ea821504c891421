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

/** A client secret without limits, to be shown. */
export const plainSecret = { description: '', ttlSeconds: 0, useLimit: 0, trustedIps: undefined, wrapTtlSeconds: 0 }
