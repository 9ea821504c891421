import { AccessToken as AccessTokenMessage } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { type Counted, lastExpireTime, type NamedToken } from '../domain/access-token.js'
import { usesMessage } from './uses-message.js'

export function toAccessTokenMessage(token: NamedToken & Counted): AccessTokenMessage {
  const { id, identityId, method, credentialId, issueTime, expireTime, renewTime, lastUsedTime, name } = token
  const times = { createTime: issueTime, expireTime, ...(renewTime && { renewTime }), ...(lastUsedTime && { lastUsedTime }) }
  return AccessTokenMessage.fromPartial({ id, identityId, method, credentialId, ...times, maxExpireTime: lastExpireTime(token), name: name ?? '', ...usesMessage(token) })
}
