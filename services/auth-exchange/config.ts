import { z } from 'zod'
import { namedKeys, port, whole } from '#libs/env.js'
import { everyAsker, everyOwner, everyService } from '#libs/variables.js'
import { type KeyEncryptionKeys, keyEncryptionKeysFrom } from './signing/sealed-key.js'

const keyEncryptionKeys = z.string().transform((text, context): KeyEncryptionKeys => {
  const keys = keyEncryptionKeysFrom(text)
  if (keys) return keys
  context.addIssue('must be KEY, or two of them with a comma between, each 32 bytes in base64; the first encrypts')
  return z.NEVER
})

/** The environment of auth-exchange; docs/configuration.md is made of it. */
export const configSchema = z.object({
  EXCHANGE_PORT: port(50_052).describe('public port; `0` takes a free one'),
  EXCHANGE_INTERNAL_PORT: port(50_062).describe('internal port'),
  ...everyOwner,
  ...everyAsker,
  PEPPERS: namedKeys('makes new digests').describe(
    '`ID:KEY` or `ID:KEY,ID:KEY`, each key 32 bytes in base64. The first makes new digests of client secrets; the second still verifies',
  ),
  KEY_ENCRYPTION_KEY: keyEncryptionKeys.describe(
    '`KEY` or `KEY,KEY`, each 32 bytes in base64. The first encrypts the signing keys in the database; what is there under the second is read, and encrypted under the first at the start',
  ),
  SIGNING_KEY_ROTATION_DAYS: whole(90, 0, 3_650).describe('for how many days a key signs access tokens before another one does; `0`: until it is told to (`countersign signing-key rotate`)'),
  SIGNING_KEY_LEAD_MINUTES: whole(60, 1, 1_440).describe(
    'how long a key is published before it signs: longer than whoever verifies tokens by the published keys holds on to them',
  ),
  TOKEN_ISSUER: z.string().min(1).default('countersign').describe('the `iss` of access tokens'),
  TOKEN_AUDIENCE: z.string().min(1).default('countersign').describe('the `aud` of access tokens'),
  ...everyService,
})

export type Config = z.output<typeof configSchema>
