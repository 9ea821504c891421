import { ClientSecret as ClientSecretMessage } from '#libs/wire/gen/countersign/exchange/v1/client_secret.js'
import type { ClientSecret } from '../domain/client-secret.js'

export const toClientSecretMessage = ({ useLimit, expireTime, trustedIps, lastUsedTime, lastUsedAddress, revokeTime, successorId, ...secret }: ClientSecret): ClientSecretMessage =>
  ClientSecretMessage.fromPartial({
    ...secret,
    useLimit: useLimit ?? 0,
    lastUsedAddress: lastUsedAddress ?? '',
    successorId: successorId ?? '',
    ...(trustedIps && { trustedIps: { cidrs: [...trustedIps] } }),
    ...(expireTime && { expireTime }),
    ...(lastUsedTime && { lastUsedTime }),
    ...(revokeTime && { revokeTime }),
  })
