/** The settings of tokens of which a request says nothing. */
export const untouchedTokens = {
  accessTokenTtlSeconds: undefined,
  accessTokenMaxTtlSeconds: undefined,
  accessTokenUseLimit: undefined,
  accessTokenPeriodSeconds: undefined,
  accessTokenTrustedIps: undefined,
}

/** A client secret without limits, to be shown. */
export const plainSecret = { description: '', ttlSeconds: 0, useLimit: 0, trustedIps: undefined, wrapTtlSeconds: 0 }

/** The settings of Universal Auth of which a request says nothing. */
export const untouched = { ...untouchedTokens, clientSecretTrustedIps: undefined, lockout: undefined }

/** Token Auth as it is attached where nothing is said of it. */
export const standardTokenAuth = { ...untouchedTokens, configuration: { $case: 'tokenAuth', value: {} } } as const
