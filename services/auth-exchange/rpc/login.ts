import type { Clock } from '#libs/clock.js'
import { Violations } from '#libs/domain-error.js'
import { credentialText, id as idField } from '#libs/fields.js'
import type { Ids } from '#libs/ids.js'
import { repeating } from '#libs/postgres/transaction.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { LoginRequest, LoginResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { lifeFrom } from '../domain/access-token.js'
import { credentialsRejected } from '../domain/refusals.js'
import type { ActiveTokens, IdentityReader, ProofVerifier, TokenSigner, UniversalAuthProof } from '../ports.js'
import { recordLogin } from '../store/login-ledger.js'
import type { Db } from '../store/schema.js'

type Outside = {
  readonly db: Db
  readonly universalAuth: ProofVerifier<UniversalAuthProof>
  readonly identities: IdentityReader
  readonly signer: TokenSigner
  readonly activeTokens: ActiveTokens
  readonly ids: Ids
  readonly clock: Clock
}

export function login({ db, universalAuth, identities, signer, activeTokens, ids, clock }: Outside): Unary<LoginRequest, LoginResponse> {
  return async ({ proof }, call) => {
    const refused = (reason: string) => call.note({ login_refused: reason })
    const proven = await universalAuth.verify(universalAuthProof(proof), refused)
    const { organizationId, identityId, clientId, method, credentialId, credentialEpoch, methodEpoch, identityEpoch, organizationEpoch } = proven
    call.note({ organization_id: organizationId, identity_id: identityId })
    if ((await identities.stateOf(proven, call)) !== 'active') {
      refused('identity-not-active')
      throw credentialsRejected()
    }
    const now = clock.now()
    const life = lifeFrom(now, proven)
    const epochs = { credentialEpoch, methodEpoch, identityEpoch, organizationEpoch }
    const token = { organizationId, id: ids.next(), identityId, method, credentialId, ...epochs, ...life, useLimit: proven.accessTokenUseLimit, revokeTime: null }
    const [iat, exp] = [life.issueTime.getTime() / 1000, life.expireTime.getTime() / 1000]
    const claims = { jti: token.id, sub: identityId, org: organizationId, sid: credentialId, amr: [method], client_id: clientId, iat, exp }
    // Signed before it is recorded: a signature that fails must not have cost a use.
    const accessToken = await signer.sign(claims)
    const entry = { token, auditEventId: ids.next(), requestId: call.trace.requestId, now }
    if (!(await repeating(call.deadline, () => recordLogin(db, entry)))) {
      refused('spent, expired or revoked meanwhile')
      throw credentialsRejected()
    }
    activeTokens.keep({ text: accessToken, record: token, trustedIps: proven.accessTokenTrustedIps, stamp: proven.stamp })
    call.note({ token_id: token.id })
    return { accessToken, tokenId: token.id, expiresInSeconds: exp - iat, expireTime: life.expireTime }
  }
}

function universalAuthProof(proof: LoginRequest['proof']): UniversalAuthProof {
  const wrong = new Violations()
  if (proof?.$case !== 'universalAuth') wrong.at('proof')('must be set: universal_auth')
  const { clientId, clientSecret } = proof?.value ?? { clientId: '', clientSecret: '' }
  if (proof) {
    idField(clientId, wrong.at('universal_auth.client_id'))
    credentialText(clientSecret, wrong.at('universal_auth.client_secret'))
  }
  wrong.refuse()
  return { clientId, clientSecret }
}
