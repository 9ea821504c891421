import { type SigningKey as SigningKeyMessage, SigningKeyState } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import { removeTimeOf, type SigningKey } from '../domain/signing-key.js'
import type { StoredKey } from '../store/signing-keys.js'

const states: Record<SigningKey['state'], SigningKeyState> = {
  prepared: SigningKeyState.PREPARED,
  active: SigningKeyState.ACTIVE,
  retired: SigningKeyState.RETIRED,
}

export const toSigningKeyMessage = (key: StoredKey): SigningKeyMessage => ({
  kid: key.kid,
  state: states[key.state],
  createTime: key.createTime,
  activateTime: key.activateTime ?? key.createTime,
  retireTime: key.retireTime ?? undefined,
  removeTime: removeTimeOf(key),
  keyEncryptionKeyId: key.sealedPrivateKey ? key.keyEncryptionKeyId : '',
})
