import { UniversalAuth as UniversalAuthMessage } from '#libs/wire/gen/countersign/exchange/v1/universal_auth.js'
import type { UniversalAuth } from '../domain/universal-auth.js'

export const toUniversalAuthMessage = (method: UniversalAuth): UniversalAuthMessage =>
  UniversalAuthMessage.fromPartial({
    ...method,
    accessTokenUseLimit: method.accessTokenUseLimit ?? 0,
    accessTokenPeriodSeconds: method.accessTokenPeriodSeconds ?? 0,
    accessTokenTrustedIps: { cidrs: [...method.accessTokenTrustedIps] },
    clientSecretTrustedIps: { cidrs: [...method.clientSecretTrustedIps] },
    lockout: {
      enabled: method.lockoutEnabled,
      threshold: method.lockoutThreshold,
      durationSeconds: method.lockoutDurationSeconds,
      counterResetSeconds: method.lockoutCounterResetSeconds,
    },
  })
