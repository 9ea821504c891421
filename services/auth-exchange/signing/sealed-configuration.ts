import type { ConfigurationSeal } from '../ports.js'
import { type KeyEncryptionKey, seal, unseal } from './sealed-key.js'
import { KeyUnreadable } from './stored-key.js'

/** Seals under the first key, for the one row that has this id: moved to another it is refused. */
export function configurationSeal([current, ...others]: readonly [KeyEncryptionKey, ...KeyEncryptionKey[]]): ConfigurationSeal {
  const labelOf = (id: string) => `auth-method:${id}`
  return {
    earlierIds: others.map(({ id }) => id),
    seal: (id, text) => ({ sealedConfiguration: seal(current, labelOf(id), Buffer.from(text)), keyEncryptionKeyId: current.id }),
    open: ({ id, sealedConfiguration, keyEncryptionKeyId }) => {
      if (sealedConfiguration === null) return undefined
      const key = [current, ...others].find((one) => one.id === keyEncryptionKeyId)
      if (!key) throw new KeyUnreadable(`The auth method ${id} was encrypted under another KEY_ENCRYPTION_KEY (its id is ${keyEncryptionKeyId ?? ''}): configure that one.`)
      return unseal(key, labelOf(id), sealedConfiguration).toString()
    },
  }
}
