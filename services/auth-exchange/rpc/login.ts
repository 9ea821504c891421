import type { Clock } from '#libs/clock.js'
import type { Ids } from '#libs/ids.js'
import { contention } from '#libs/postgres/errors.js'
import { repeating } from '#libs/postgres/transaction.js'
import type { Deadline } from '#libs/rpc/deadline.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { LoginRequest, LoginResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { issuedToken } from '../domain/issued-token.js'
import { credentialsRejected } from '../domain/refusals.js'
import type { ActiveTokens, IdentityReader, MethodProof, ProofVerifier, Proven, TokenSigner, UniversalAuthProof } from '../ports.js'
import type { LoginEntry, LoginLedger } from '../store/login-ledger.js'
import { recordMethodLogin } from '../store/method-logins.js'
import type { Db } from '../store/schema.js'
import { loginProof } from './login-proof.js'

type Outside = {
  readonly db: Db
  readonly ledger: LoginLedger
  readonly universalAuth: ProofVerifier<UniversalAuthProof>
  readonly methodProofs: ProofVerifier<MethodProof>
  readonly identities: IdentityReader
  readonly signer: TokenSigner
  readonly activeTokens: ActiveTokens
  readonly ids: Ids
  readonly clock: Clock
}

export function login({ db, ledger, universalAuth, methodProofs, identities, signer, activeTokens, ids, clock }: Outside): Unary<LoginRequest, LoginResponse> {
  const recordOf = async ({ token, auditEventId, requestId, ...entry }: LoginEntry, { methodEtag, authClaims }: Proven, deadline: Deadline): Promise<boolean> => {
    if (methodEtag === undefined) return ledger.record({ token, auditEventId, requestId, ...entry }, deadline)
    const { organizationId, id, identityId, method, credentialId } = token
    const by = { organizationId, actorIdentityId: identityId, actorTokenId: id, targetType: 'access-token', targetId: id }
    const event = { ...by, id: auditEventId, action: 'Login', details: { method, credentialId, claims: authClaims }, requestId }
    const login = { token: { ...token, name: null }, event, etag: methodEtag }
    if (!(await repeating(deadline, () => recordMethodLogin(db, login)))) throw contention(undefined)
    return true
  }
  return async (request, call) => {
    const refused = (reason: string) => call.note({ login_refused: reason })
    const proof = loginProof(request.proof)
    const proven = 'jwt' in proof ? await methodProofs.verify(proof, refused) : await universalAuth.verify(proof, refused)
    const { organizationId, identityId } = proven
    call.note({ organization_id: organizationId, identity_id: identityId })
    if ((await identities.stateOf(proven, call)) !== 'active') {
      refused('identity-not-active')
      throw credentialsRejected()
    }
    const now = clock.now()
    const { token, claims } = issuedToken(proven, { id: ids.next(), now })
    // Signed before it is recorded: a signature that fails must not have cost a use.
    const accessToken = signer.sign(claims)
    const entry = { token, auditEventId: ids.next(), requestId: call.trace.requestId, sourceAddress: null, now }
    if (!(await recordOf(entry, proven, call.deadline))) {
      refused('spent, expired or revoked meanwhile')
      throw credentialsRejected()
    }
    activeTokens.keep({ text: accessToken, record: token, stamp: proven.stamp })
    call.note({ token_id: token.id })
    return { accessToken, tokenId: token.id, expiresInSeconds: claims.exp - claims.iat, expireTime: token.expireTime }
  }
}
