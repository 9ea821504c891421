import type { UnaryAdapter } from '#libs/rpc/unary.js'
import type { AuthExchangeServiceServer } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { ActiveTokens, AuthMethods, ConfigurationSeal, Coverage, IdentityReader, MethodProof, ProofVerifier, SecretHasher, TokenSigner, UniversalAuthProof, Writing } from '../ports.js'
import type { LoginLedger } from '../store/login-ledger.js'
import { attachAuthMethod } from './attach-auth-method.js'
import { attachUniversalAuth } from './attach-universal-auth.js'
import { createAccessToken } from './create-access-token.js'
import { createClientSecret } from './create-client-secret.js'
import { createPrincipal } from './create-principal.js'
import { deletePrincipal } from './delete-principal.js'
import { getAuthMethod } from './get-auth-method.js'
import { getJsonWebKeySet } from './get-json-web-key-set.js'
import { getUniversalAuth } from './get-universal-auth.js'
import { introspectAccessToken } from './introspect-access-token.js'
import { listAccessTokens } from './list-access-tokens.js'
import { listAuthMethods } from './list-auth-methods.js'
import { listClientSecrets } from './list-client-secrets.js'
import { listPrincipals } from './list-principals.js'
import { login } from './login.js'
import { removeAuthMethod } from './remove-auth-method.js'
import { renewAccessToken } from './renew-access-token.js'
import { revokeAccessToken } from './revoke-access-token.js'
import { revokeAccessTokens } from './revoke-access-tokens.js'
import { revokeClientSecret } from './revoke-client-secret.js'
import { updateAccessToken } from './update-access-token.js'
import { updateAuthMethod } from './update-auth-method.js'
import { updateUniversalAuth } from './update-universal-auth.js'

type Outside = Writing & {
  readonly identities: IdentityReader
  readonly coverage: Coverage
  readonly hasher: SecretHasher
  readonly signer: TokenSigner
  readonly activeTokens: ActiveTokens
  readonly methods: AuthMethods
  readonly seal: ConfigurationSeal
  readonly universalAuth: ProofVerifier<UniversalAuthProof>
  readonly methodProofs: ProofVerifier<MethodProof>
  readonly ledger: LoginLedger
}

/** What auth-exchange answers on its public port: one file per method. */
export const exchangeService = (unary: UnaryAdapter, outside: Outside): AuthExchangeServiceServer => ({
  attachUniversalAuth: unary(attachUniversalAuth(outside)),
  getUniversalAuth: unary(getUniversalAuth(outside)),
  updateUniversalAuth: unary(updateUniversalAuth(outside)),

  attachAuthMethod: unary(attachAuthMethod(outside)),
  getAuthMethod: unary(getAuthMethod(outside)),
  listAuthMethods: unary(listAuthMethods(outside)),
  updateAuthMethod: unary(updateAuthMethod(outside)),
  removeAuthMethod: unary(removeAuthMethod(outside)),

  createClientSecret: unary(createClientSecret(outside)),
  listClientSecrets: unary(listClientSecrets(outside)),
  revokeClientSecret: unary(revokeClientSecret(outside)),

  createPrincipal: unary(createPrincipal(outside)),
  listPrincipals: unary(listPrincipals(outside)),
  deletePrincipal: unary(deletePrincipal(outside)),

  login: unary(login(outside)),
  renewAccessToken: unary(renewAccessToken(outside)),
  createAccessToken: unary(createAccessToken(outside)),
  updateAccessToken: unary(updateAccessToken(outside)),
  introspectAccessToken: unary(introspectAccessToken(outside)),
  listAccessTokens: unary(listAccessTokens(outside)),
  revokeAccessToken: unary(revokeAccessToken(outside)),
  revokeAccessTokens: unary(revokeAccessTokens(outside)),
  getJsonWebKeySet: unary(getJsonWebKeySet(outside)),
})
