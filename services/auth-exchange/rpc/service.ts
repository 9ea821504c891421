import type { ServiceCallers } from '#libs/rpc/service-credential.js'
import type { UnaryAdapter } from '#libs/rpc/unary.js'
import { reusingWriter } from '#libs/rpc/reusing-writer.js'
import { LoginResponse, RenewAccessTokenResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { type AuthExchangeServiceServer, AuthExchangeServiceService } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { LoginThrottle } from '../domain/throttle.js'
import type { ActiveTokens, AuthMethods, ConfigurationSeal, Coverage, IdentityReader, LoginAttempts, MethodProof, ProofVerifier, SecretHasher, TokenSigner, UniversalAuthVerifier, Writing } from '../ports.js'
import type { Standings } from '../store/access-tokens.js'
import type { LoginLedger } from '../store/login-ledger.js'
import { attachAuthMethod } from './attach-auth-method.js'
import { attachUniversalAuth } from './attach-universal-auth.js'
import { clearLockouts } from './clear-lockouts.js'
import { createAccessToken } from './create-access-token.js'
import { createClientSecret } from './create-client-secret.js'
import { createPrincipal } from './create-principal.js'
import { deletePrincipal } from './delete-principal.js'
import { getAuthMethod } from './get-auth-method.js'
import { getClientSecret } from './get-client-secret.js'
import { getJsonWebKeySet } from './get-json-web-key-set.js'
import { getUniversalAuth } from './get-universal-auth.js'
import { introspectAccessToken } from './introspect-access-token.js'
import { listAccessTokens } from './list-access-tokens.js'
import { listAuditEvents } from './list-audit-events.js'
import { listAuthMethods } from './list-auth-methods.js'
import { listClientSecrets } from './list-client-secrets.js'
import { listLockouts } from './list-lockouts.js'
import { listPrincipals } from './list-principals.js'
import { login } from './login.js'
import { removeAuthMethod } from './remove-auth-method.js'
import { renewAccessToken } from './renew-access-token.js'
import { revokeAccessToken } from './revoke-access-token.js'
import { revokeAccessTokens } from './revoke-access-tokens.js'
import { revokeClientSecret } from './revoke-client-secret.js'
import { rotateClientSecret } from './rotate-client-secret.js'
import { unwrapClientSecret } from './unwrap-client-secret.js'
import { updateAccessToken } from './update-access-token.js'
import { updateAuthMethod } from './update-auth-method.js'
import { updateUniversalAuth } from './update-universal-auth.js'

type Outside = Writing & {
  readonly identities: IdentityReader
  readonly coverage: Coverage
  readonly hasher: SecretHasher
  readonly signer: TokenSigner
  readonly activeTokens: ActiveTokens
  readonly attempts: LoginAttempts
  readonly throttle: LoginThrottle
  readonly methods: AuthMethods
  readonly seal: ConfigurationSeal
  readonly universalAuth: UniversalAuthVerifier
  readonly methodProofs: ProofVerifier<MethodProof>
  readonly ledger: LoginLedger
  readonly standings: Standings
  readonly callers: ServiceCallers
}

/** The service as it is called, with the serializers that its throughput needs. */
export const exchangeDefinition = {
  ...AuthExchangeServiceService,
  login: { ...AuthExchangeServiceService.login, responseSerialize: reusingWriter(LoginResponse) },
  renewAccessToken: { ...AuthExchangeServiceService.renewAccessToken, responseSerialize: reusingWriter(RenewAccessTokenResponse) },
}

/** What auth-exchange answers on its public port: one file per method. */
export const exchangeService = (unary: UnaryAdapter, outside: Outside): AuthExchangeServiceServer => ({
  attachUniversalAuth: unary(attachUniversalAuth(outside)),
  getUniversalAuth: unary(getUniversalAuth(outside)),
  updateUniversalAuth: unary(updateUniversalAuth(outside)),
  listLockouts: unary(listLockouts(outside)),
  clearLockouts: unary(clearLockouts(outside)),

  attachAuthMethod: unary(attachAuthMethod(outside)),
  getAuthMethod: unary(getAuthMethod(outside)),
  listAuthMethods: unary(listAuthMethods(outside)),
  updateAuthMethod: unary(updateAuthMethod(outside)),
  removeAuthMethod: unary(removeAuthMethod(outside)),

  createClientSecret: unary(createClientSecret(outside)),
  getClientSecret: unary(getClientSecret(outside)),
  listClientSecrets: unary(listClientSecrets(outside)),
  revokeClientSecret: unary(revokeClientSecret(outside)),
  rotateClientSecret: unary(rotateClientSecret(outside)),
  unwrapClientSecret: unary(unwrapClientSecret(outside)),

  createPrincipal: unary(createPrincipal(outside)),
  listPrincipals: unary(listPrincipals(outside)),
  deletePrincipal: unary(deletePrincipal(outside)),

  login: unary(login(outside), undefined, { isUnlogged: ({ reason }) => reason === 'LOGIN_THROTTLED' }),
  renewAccessToken: unary(renewAccessToken(outside)),
  createAccessToken: unary(createAccessToken(outside)),
  updateAccessToken: unary(updateAccessToken(outside)),
  introspectAccessToken: unary(introspectAccessToken(outside)),
  listAccessTokens: unary(listAccessTokens(outside)),
  revokeAccessToken: unary(revokeAccessToken(outside)),
  revokeAccessTokens: unary(revokeAccessTokens(outside)),
  listAuditEvents: unary(listAuditEvents(outside)),
  getJsonWebKeySet: unary(getJsonWebKeySet(outside)),
})
