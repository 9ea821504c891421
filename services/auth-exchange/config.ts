import { z } from 'zod'
import { namedKeys, networks, port } from '#libs/env.js'
import { everyAsker, everyOwner, everyService } from '#libs/variables.js'
import { keyEncryptionKey } from './signing/sealed-key.js'

/** The environment of auth-exchange; docs/configuration.md is made of it. */
export const configSchema = z.object({
  EXCHANGE_PORT: port(50_052).describe('public port; `0` takes a free one'),
  EXCHANGE_INTERNAL_PORT: port(50_062).describe('internal port'),
  ...everyOwner,
  ...everyAsker,
  PEPPERS: namedKeys('makes new digests').describe(
    '`ID:KEY` or `ID:KEY,ID:KEY`, each key 32 bytes in base64. The first makes new digests of client secrets; the second still verifies',
  ),
  KEY_ENCRYPTION_KEY: z.string().regex(/^[A-Za-z0-9+/]{43}=$/, 'must be 32 bytes in base64').transform((text) => keyEncryptionKey(Buffer.from(text, 'base64')))
    .describe('32 bytes in base64; encrypts the signing keys in the database'),
  TOKEN_ISSUER: z.string().min(1).default('countersign').describe('the `iss` of access tokens'),
  TOKEN_AUDIENCE: z.string().min(1).default('countersign').describe('the `aud` of access tokens'),
  OUTBOUND_ALLOWED_NETWORKS: networks.describe(
    'networks, such as `10.96.0.0/12,10.0.12.5/32`, that issuers and API servers of auth methods may be in although they are private. Without it only public addresses are asked; addresses of cloud metadata never are. Whoever may configure an auth method can have these networks asked, by HTTPS alone',
  ),
  ...everyService,
})

export type Config = z.output<typeof configSchema>
