/** What is secret in a configuration, and the name of the key that it is encrypted under; null where there is nothing secret. */
export type Sealed = { readonly sealedConfiguration: Buffer | null; readonly keyEncryptionKeyId: string | null }

export const NOTHING_SEALED: Sealed = { sealedConfiguration: null, keyEncryptionKeyId: null }
