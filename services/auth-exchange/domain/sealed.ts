/** What is secret in a configuration, and the name of the key that it is encrypted under; null where there is nothing secret. */
export type Sealed = { readonly sealedConfiguration: Buffer | null; readonly keyEncryptionKeyId: string | null }

export const NOTHING_SEALED: Sealed = { sealedConfiguration: null, keyEncryptionKeyId: null }

/** A secret that somebody gives, that the one stays that is there, or that there is none. */
export type Secret = { readonly text: string } | 'kept' | undefined
