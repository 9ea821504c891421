import { AccessToken as AccessTokenMessage } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { lastExpireTime, type NamedToken } from '../domain/access-token.js'

export function toAccessTokenMessage(token: NamedToken): AccessTokenMessage {
  const { id, identityId, method, credentialId, issueTime, expireTime, renewTime, name } = token
  const renewed = renewTime ? { renewTime } : {}
  return AccessTokenMessage.fromPartial({ id, identityId, method, credentialId, createTime: issueTime, expireTime, ...renewed, maxExpireTime: lastExpireTime(token), name: name ?? '' })
}
