import type { ServiceCallers } from '#libs/rpc/service-credential.js'
import type { UnaryAdapter } from '#libs/rpc/unary.js'
import type { AuthExchangeServiceServer } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { ActiveTokens, Coverage, IdentityReader, ProofVerifier, SecretHasher, TokenSigner, UniversalAuthProof, Writing } from '../ports.js'
import { attachUniversalAuth } from './attach-universal-auth.js'
import { createClientSecret } from './create-client-secret.js'
import { createPrincipal } from './create-principal.js'
import { deletePrincipal } from './delete-principal.js'
import { getClientSecret } from './get-client-secret.js'
import { getJsonWebKeySet } from './get-json-web-key-set.js'
import { getUniversalAuth } from './get-universal-auth.js'
import { introspectAccessToken } from './introspect-access-token.js'
import { listAccessTokens } from './list-access-tokens.js'
import { listClientSecrets } from './list-client-secrets.js'
import { listPrincipals } from './list-principals.js'
import { login } from './login.js'
import { renewAccessToken } from './renew-access-token.js'
import { revokeAccessToken } from './revoke-access-token.js'
import { revokeAccessTokens } from './revoke-access-tokens.js'
import { revokeClientSecret } from './revoke-client-secret.js'
import { rotateClientSecret } from './rotate-client-secret.js'
import { unwrapClientSecret } from './unwrap-client-secret.js'
import { updateUniversalAuth } from './update-universal-auth.js'

type Outside = Writing & {
  readonly identities: IdentityReader
  readonly coverage: Coverage
  readonly hasher: SecretHasher
  readonly signer: TokenSigner
  readonly activeTokens: ActiveTokens
  readonly universalAuth: ProofVerifier<UniversalAuthProof>
  readonly callers: ServiceCallers
}

/** What auth-exchange answers on its public port: one file per method. */
export const exchangeService = (unary: UnaryAdapter, outside: Outside): AuthExchangeServiceServer => ({
  attachUniversalAuth: unary(attachUniversalAuth(outside)),
  getUniversalAuth: unary(getUniversalAuth(outside)),
  updateUniversalAuth: unary(updateUniversalAuth(outside)),

  createClientSecret: unary(createClientSecret(outside)),
  getClientSecret: unary(getClientSecret(outside)),
  listClientSecrets: unary(listClientSecrets(outside)),
  revokeClientSecret: unary(revokeClientSecret(outside)),
  rotateClientSecret: unary(rotateClientSecret(outside)),
  unwrapClientSecret: unary(unwrapClientSecret(outside)),

  createPrincipal: unary(createPrincipal(outside)),
  listPrincipals: unary(listPrincipals(outside)),
  deletePrincipal: unary(deletePrincipal(outside)),

  login: unary(login(outside)),
  renewAccessToken: unary(renewAccessToken(outside)),
  introspectAccessToken: unary(introspectAccessToken(outside)),
  listAccessTokens: unary(listAccessTokens(outside)),
  revokeAccessToken: unary(revokeAccessToken(outside)),
  revokeAccessTokens: unary(revokeAccessTokens(outside)),
  getJsonWebKeySet: unary(getJsonWebKeySet(outside)),
})
