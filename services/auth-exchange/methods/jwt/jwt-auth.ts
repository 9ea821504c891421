import { z } from 'zod'
import type { Clock } from '#libs/clock.js'
import { type AskedJwt, jwtFrom } from '../../domain/asked-jwt.js'
import type { ProvingMethod } from '../../ports.js'
import type { KeySets } from '../assertion/key-sets.js'
import { type PublicKey, publicKeyFromText } from '../assertion/public-keys.js'
import { askedRules, storedRules } from '../assertion/stored-rules.js'
import { verifyAssertion } from '../assertion/verify-assertion.js'

const stored = storedRules.extend({ jwksUrl: z.string().optional(), caCertificate: z.string().optional(), publicKeys: z.array(z.string()) })

/** A JWT of whoever has its keys at a URL, or has written them down. */
export function jwtAuth({ keySets, clock }: { readonly keySets: KeySets; readonly clock: Clock }): ProvingMethod<AskedJwt> {
  return {
    configure: (asked, at) => jwtFrom(asked, at, (text) => publicKeyFromText(text) !== undefined),
    show: (configuration) => {
      const { jwksUrl = '', caCertificate = '', publicKeys, ...rules } = stored.parse(configuration)
      return { ...askedRules(rules), jwksUrl, caCertificate, publicKeys }
    },
    verify: ({ jwt, configuration, organizationId }) => {
      const { jwksUrl, caCertificate, publicKeys, ...rules } = stored.parse(configuration)
      const keys = (keyId: string | undefined) =>
        jwksUrl === undefined ? Promise.resolve(writtenKeys(publicKeys, keyId)) : keySets.keysOf({ jwksUrl, caCertificate }, keyId, organizationId)
      return verifyAssertion(jwt, { rules, clock, keys })
    },
  }
}

/** A key that was written down need have no name. */
function writtenKeys(texts: readonly string[], keyId: string | undefined): readonly PublicKey[] {
  const keys = texts.flatMap((text) => publicKeyFromText(text) ?? [])
  return keys.filter((key) => key.keyId === undefined || keyId === undefined || key.keyId === keyId)
}
