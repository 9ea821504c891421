import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { readJson, writePrivateJson } from './private-json.js'

const schema = z.strictObject({
  postgresPassword: z.string(),
  registryPassword: z.string(),
  exchangePassword: z.string(),
  registryCredential: z.string(),
  exchangeCredential: z.string(),
  checkCredential: z.string(),
  bootstrapCredential: z.string(),
  pepper: z.string(),
  keyEncryptionKey: z.string(),
  // Folders of before there was a cache have none: a new one at each start only empties the cache.
  redisMacKey: z.string().default(() => randomBytes(32).toString('base64')),
})

/** What the services of one machine authenticate each other with, and encrypt with. Nobody ever types one of them. */
export type LocalSecrets = z.output<typeof schema>

export function newSecrets(): LocalSecrets {
  const password = () => randomBytes(24).toString('base64url')
  const key = () => randomBytes(32).toString('base64')
  return {
    postgresPassword: password(),
    registryPassword: password(),
    exchangePassword: password(),
    registryCredential: password(),
    exchangeCredential: password(),
    checkCredential: password(),
    bootstrapCredential: password(),
    pepper: key(),
    keyEncryptionKey: key(),
    redisMacKey: key(),
  }
}

/** The secrets of a data folder; made and kept at the first start. */
export function loadSecrets(file: string): LocalSecrets {
  const kept = readJson(file, schema)
  if (kept) return kept
  const made = newSecrets()
  writePrivateJson(file, made)
  return made
}
