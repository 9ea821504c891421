import type { Clock } from '#libs/clock.js'
import type { Ids } from '#libs/ids.js'
import { contention } from '#libs/postgres/errors.js'
import { repeating } from '#libs/postgres/transaction.js'
import type { Deadline } from '#libs/rpc/deadline.js'
import type { ServiceCallers } from '#libs/rpc/service-credential.js'
import { sourceAddressOf } from '#libs/rpc/source-address.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { LoginRequest, LoginResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { issuedToken } from '../domain/issued-token.js'
import type { ActiveTokens, IdentityReader, LoginAttempts, MethodProof, ProofVerifier, Proven, TokenSigner, UniversalAuthProof } from '../ports.js'
import type { LoginEntry, LoginLedger } from '../store/login-ledger.js'
import { recordMethodLogin } from '../store/method-logins.js'
import type { Db } from '../store/schema.js'
import { loginProof } from './login-proof.js'

type Outside = {
  readonly db: Db
  readonly ledger: LoginLedger
  readonly attempts: LoginAttempts
  readonly universalAuth: ProofVerifier<UniversalAuthProof>
  readonly methodProofs: ProofVerifier<MethodProof>
  readonly identities: IdentityReader
  readonly signer: TokenSigner
  readonly activeTokens: ActiveTokens
  readonly callers: ServiceCallers
  readonly ids: Ids
  readonly clock: Clock
}

export function login({ db, ledger, attempts, universalAuth, methodProofs, identities, signer, activeTokens, callers, ids, clock }: Outside): Unary<LoginRequest, LoginResponse> {
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
    const proof = loginProof(request.proof)
    const sourceAddress = sourceAddressOf(call, callers)
    const attempt = attempts.begin(call, { clientId: 'jwt' in proof ? proof.identityId : proof.clientId, sourceAddress })
    const proven = 'jwt' in proof ? await methodProofs.verify(proof, attempt) : await universalAuth.verify({ ...proof, sourceAddress }, attempt)
    const { organizationId, identityId } = proven
    call.note({ organization_id: organizationId, identity_id: identityId })
    if ((await identities.stateOf(proven, call)) !== 'active') throw attempt.refusal('identity-not-active', proven.ownLockout)
    const now = clock.now()
    const { token, claims } = issuedToken(proven, { id: ids.next(), now })
    // Signed before it is recorded: a signature that fails must not have cost a use.
    const accessToken = await signer.sign(claims, proven.signingKid)
    const entry = { token, auditEventId: ids.next(), requestId: call.trace.requestId, sourceAddress: sourceAddress ?? null, now }
    if (!(await recordOf(entry, proven, call.deadline))) throw attempt.refusal('overtaken')
    attempt.succeeded()
    activeTokens.keep({ text: accessToken, record: token, trustedIps: proven.accessTokenTrustedIps, stamp: proven.stamp })
    call.note({ token_id: token.id })
    return { accessToken, tokenId: token.id, expiresInSeconds: claims.exp - claims.iat, expireTime: token.expireTime }
  }
}
