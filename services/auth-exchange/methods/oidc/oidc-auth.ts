import { z } from 'zod'
import type { Clock } from '#libs/clock.js'
import { type AskedOidc, oidcFrom } from '../../domain/asked-oidc.js'
import type { ProvingMethod } from '../../ports.js'
import type { KeySets } from '../assertion/key-sets.js'
import { askedRules, storedRules } from '../assertion/stored-rules.js'
import { verifyAssertion } from '../assertion/verify-assertion.js'

const stored = storedRules.extend({ caCertificate: z.string().optional() })

/** OpenID Connect: a JWT of an issuer whose discovery document says where its keys are. */
export function oidcAuth({ keySets, clock }: { readonly keySets: KeySets; readonly clock: Clock }): ProvingMethod<AskedOidc> {
  return {
    configure: oidcFrom,
    show: (configuration) => {
      const { caCertificate = '', ...rules } = stored.parse(configuration)
      return { ...askedRules(rules), caCertificate }
    },
    verify: ({ jwt, configuration, organizationId }) => {
      const { caCertificate, ...rules } = stored.parse(configuration)
      const source = { issuer: rules.issuer, caCertificate }
      return verifyAssertion(jwt, { rules, clock, keys: (keyId) => keySets.keysOf(source, keyId, organizationId) })
    },
  }
}
