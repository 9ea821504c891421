import type { Clock } from '#libs/clock.js'
import { inBatches } from '#libs/batches.js'
import { secretIdOf, unusable } from '../../domain/client-secret.js'
import { digestUnder, type Pepper, sameBytes, type SecretOwner, type Verifiers } from '../../domain/secret-hash.js'
import type { OwnLockout } from '../../domain/throttle.js'
import { tokenSettingsOf } from '../../domain/token-settings.js'
import { EVERYWHERE, trustedBy } from '../../domain/trusted-ip.js'
import { UNIVERSAL_AUTH } from '../../domain/universal-auth.js'
import type { Proven, UniversalAuthVerifier } from '../../ports.js'
import { type ClientAndSecret, findSecretsOfClients, type MethodOfSecret, type SecretOfClient, updateDigest } from '../../store/client-secrets.js'
import type { Db } from '../../store/schema.js'
import { rememberedSecrets } from './remembered-secrets.js'
import type { Argon2Verifier } from './secret-hasher.js'

const NIL = '00000000-0000-0000-0000-000000000000'

/** As long as everybody: a digest takes its time by the length. */
const NOBODY: SecretOwner = { organizationId: NIL, identityId: NIL, id: NIL }

/** Of logins whose secrets are found by one statement. */
const MOST_AT_ONCE = 100

export type UniversalAuthOutside = { readonly db: Db; readonly clock: Clock; readonly hasher: Argon2Verifier; readonly peppers: readonly [Pepper, ...Pepper[]] }

/**
 * Universal Auth: finds the secret by the id in its text and compares the keyed digest in constant time. argon2id is asked
 * only where the digest was made under a pepper that is not known any more, and the digest is then made anew.
 */
export function universalAuth({ db, clock, hasher, peppers }: UniversalAuthOutside): UniversalAuthVerifier {
  const [current] = peppers
  const memory = rememberedSecrets()
  const matches = async (owner: SecretOwner, text: string, verifiers: Verifiers): Promise<boolean> => {
    const pepper = peppers.find(({ id }) => id === verifiers.pepperId)
    const proven = pepper ? sameBytes(digestUnder(pepper, owner, text), verifiers.digest) : await hasher.matches(owner, text, verifiers)
    if (proven && pepper !== current) await updateDigest(db, owner, { digest: digestUnder(current, owner, text), pepperId: current.id })
    return proven
  }
  const find = () => inBatches(MOST_AT_ONCE, (asked: readonly ClientAndSecret[]) => findSecretsOfClients(db, asked))
  // Nobody waits behind a flood.
  const [ofHonest, ofSuspects] = [find(), find()]
  return {
    remembered: ({ clientId, clientSecret, sourceAddress }) => {
      const id = secretIdOf(clientSecret)
      if (id === undefined) return undefined
      const { secret, isTrusted, proven } = memory.get({ clientId, id }) ?? {}
      // As much work where none is: it must not tell that there is such a secret.
      const digest = digestUnder(current, secret ?? NOBODY, clientSecret)
      if (!secret || secret.pepperId !== current.id || !sameBytes(digest, secret.digest)) return undefined
      return unusable(secret, clock.now()) === undefined && isTrusted?.(sourceAddress) ? proven : undefined
    },
    verify: async ({ clientId, clientSecret, sourceAddress }, attempt) => {
      const id = secretIdOf(clientSecret)
      if (id === undefined) throw attempt.refusal('malformed')
      memory.forget({ clientId, id })
      const secret = await (attempt.isSuspect ? ofSuspects : ofHonest)({ clientId, id })
      if (!secret) {
        // As much work as for a secret that is there and wrong.
        digestUnder(current, NOBODY, clientSecret)
        throw attempt.refusal('unknown')
      }
      const own = ownLockout(secret)
      if (!(await matches(secret, clientSecret, secret))) throw attempt.refusal('wrong', own)
      const reason = unusable(secret, clock.now())
      if (reason !== undefined) throw attempt.refusal(reason, own)
      // By both as they are now: what a method no longer trusts, no secret of an earlier day does.
      const isTrusted = trustedBy(secret.clientSecretTrustedIps, secret.trustedIps ?? EVERYWHERE)
      if (!isTrusted(sourceAddress)) throw attempt.refusal('untrusted-address', own)
      const proven = provenBy(secret, clientId)
      const { methodEtag, signingKid } = secret
      memory.keep({ clientId, id }, { secret, isTrusted, proven: { ...proven, remembered: { methodEtag, signingKid } } })
      return proven
    },
  }
}

function provenBy(secret: SecretOfClient, clientId: string): Proven {
  const { organizationId, identityId, methodEpoch, identityEpoch, organizationEpoch, signingKid, stamp } = secret
  const credential = { credentialId: secret.id, credentialEpoch: secret.epoch, methodEpoch, identityEpoch, organizationEpoch }
  return { organizationId, identityId, clientId, method: UNIVERSAL_AUTH, ...credential, ...tokenSettingsOf(secret), signingKid, ownLockout: ownLockout(secret), stamp }
}

const ownLockout = ({ lockoutClearTime: clearTime, lockoutEnabled, lockoutThreshold, lockoutDurationSeconds, lockoutCounterResetSeconds }: MethodOfSecret): OwnLockout =>
  ({ settings: { lockoutEnabled, lockoutThreshold, lockoutDurationSeconds, lockoutCounterResetSeconds }, clearTime })
