import { withCauses } from '#libs/causes.js'
import { NoAnswer } from '#libs/outbound/outbound.js'
import type { MappedClaims } from '../domain/assertion-rules.js'
import { issuerUnreachable } from '../domain/refusals.js'
import { tokenSettingsOf } from '../domain/token-settings.js'
import { Unproven } from '../domain/unproven.js'
import type { ConfigurationSeal, LoginAttempt, MethodProof, ProofVerifier, ProvingMethods } from '../ports.js'
import { findMethodCredential } from '../store/method-credentials.js'
import type { Db } from '../store/schema.js'

type Outside = { readonly db: Db; readonly methods: ProvingMethods; readonly seal: ConfigurationSeal }

/** Whatever a workload shows under the configuration of its identity's method: the one door by which it is told of nothing but yes and no. */
export function methodProofs({ db, methods, seal }: Outside): ProofVerifier<MethodProof> {
  return {
    verify: async ({ identityId, method, jwt }, attempt) => {
      const found = await findMethodCredential(db, { identityId, method })
      if (!found) throw attempt.refusal('unproven', undefined, 'unknown')
      const { organizationId, id: credentialId, epoch, configuration, identityEpoch, organizationEpoch, signingKid, stamp } = found
      const claims = await toldApart(() => methods[method].verify({ jwt, configuration, secret: seal.open(found), organizationId }), attempt)
      const credential = { credentialId, credentialEpoch: epoch, methodEpoch: epoch, identityEpoch, organizationEpoch }
      return { organizationId, identityId, clientId: identityId, method, ...credential, ...tokenSettingsOf(found), authClaims: Object.fromEntries(claims), methodEtag: found.etag, signingKid, stamp }
    },
  }
}

async function toldApart(verify: () => Promise<MappedClaims>, attempt: LoginAttempt): Promise<MappedClaims> {
  try {
    return await verify()
  } catch (error) {
    if (error instanceof Unproven) throw attempt.refusal('unproven', undefined, error.reason)
    if (!(error instanceof NoAnswer)) throw error
    attempt.note(`nobody answered: ${withCauses(error)}`)
    throw issuerUnreachable(error)
  }
}
