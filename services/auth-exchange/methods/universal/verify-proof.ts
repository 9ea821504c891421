import type { Clock } from '#libs/clock.js'
import { credentialsRejected } from '../../domain/refusals.js'
import { secretIdOf, unusable } from '../../domain/client-secret.js'
import { digestUnder, type Pepper, sameBytes, type SecretOwner, type Verifiers } from '../../domain/secret-hash.js'
import { UNIVERSAL_AUTH } from '../../domain/universal-auth.js'
import type { ProofVerifier, UniversalAuthProof } from '../../ports.js'
import { findSecretOfClient, updateDigest } from '../../store/client-secrets.js'
import type { Db } from '../../store/schema.js'
import type { Argon2Verifier } from './secret-hasher.js'

const NOBODY: SecretOwner = { organizationId: '', identityId: '', id: '' }

type Outside = { readonly db: Db; readonly clock: Clock; readonly hasher: Argon2Verifier; readonly peppers: readonly [Pepper, ...Pepper[]] }

/**
 * Universal Auth: finds the secret by the id in its text and compares the keyed digest in constant time. argon2id is asked
 * only where the digest was made under a pepper that is not known any more, and the digest is then made anew.
 */
export function universalAuth({ db, clock, hasher, peppers }: Outside): ProofVerifier<UniversalAuthProof> {
  const [current] = peppers
  const matches = async (owner: SecretOwner, text: string, verifiers: Verifiers): Promise<boolean> => {
    const pepper = peppers.find(({ id }) => id === verifiers.pepperId)
    const proven = pepper ? sameBytes(digestUnder(pepper, owner, text), verifiers.digest) : await hasher.matches(owner, text, verifiers)
    if (proven && pepper !== current) await updateDigest(db, owner, { digest: digestUnder(current, owner, text), pepperId: current.id })
    return proven
  }
  return {
    verify: async ({ clientId, clientSecret }, refused) => {
      const refuse = (reason: string) => {
        refused(reason)
        return credentialsRejected()
      }
      const id = secretIdOf(clientSecret)
      if (id === undefined) throw refuse('malformed')
      const secret = await findSecretOfClient(db, clientId, id)
      if (!secret) {
        // As much work as for a secret that is there and wrong.
        digestUnder(current, NOBODY, clientSecret)
        throw refuse('unknown')
      }
      if (!(await matches(secret, clientSecret, secret))) throw refuse('wrong')
      const reason = unusable(secret, clock.now())
      if (reason !== undefined) throw refuse(reason)
      const { organizationId, identityId, methodEpoch, identityEpoch, organizationEpoch, stamp } = secret
      const { accessTokenTtlSeconds, accessTokenMaxTtlSeconds, accessTokenUseLimit, accessTokenPeriodSeconds, accessTokenTrustedIps } = secret
      const settings = { accessTokenTtlSeconds, accessTokenMaxTtlSeconds, accessTokenUseLimit, accessTokenPeriodSeconds, accessTokenTrustedIps }
      const credential = { credentialId: secret.id, credentialEpoch: secret.epoch, methodEpoch, identityEpoch, organizationEpoch }
      return { organizationId, identityId, clientId, method: UNIVERSAL_AUTH, ...credential, ...settings, stamp }
    },
  }
}
