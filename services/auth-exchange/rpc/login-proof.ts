import { Violations } from '#libs/domain-error.js'
import { credentialText, id as idField } from '#libs/fields.js'
import type { AssertionProof, LoginRequest, UniversalAuthProof as UniversalAuthProofMessage } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { type AssertionMethod, JWT_AUTH, KUBERNETES_AUTH, OIDC_AUTH } from '../domain/auth-method.js'
import type { MethodProof, UniversalAuthProof } from '../ports.js'

type ClientProof = Omit<UniversalAuthProof, 'sourceAddress'>

/** What a workload shows, of whichever method. */
export function loginProof(proof: LoginRequest['proof']): ClientProof | MethodProof {
  switch (proof?.$case) {
    case undefined: return noProof()
    case 'universalAuth': return universalAuthProof(proof.value)
    case 'kubernetesAuth': return methodProof(KUBERNETES_AUTH, proof.value)
    case 'oidcAuth': return methodProof(OIDC_AUTH, proof.value)
    case 'jwtAuth': return methodProof(JWT_AUTH, proof.value)
  }
}

function noProof(): never {
  const wrong = new Violations()
  wrong.at('proof')('must be set: universal_auth, kubernetes_auth, oidc_auth or jwt_auth')
  wrong.refuse()
  throw new Error('what was reported is refused')
}

function universalAuthProof({ clientId, clientSecret }: UniversalAuthProofMessage): ClientProof {
  const wrong = new Violations()
  idField(clientId, wrong.at('universal_auth.client_id'))
  credentialText(clientSecret, wrong.at('universal_auth.client_secret'))
  wrong.refuse()
  return { clientId, clientSecret }
}

const MAX_JWT_LENGTH = 8_192

function methodProof(method: AssertionMethod, { identityId, jwt }: AssertionProof): MethodProof {
  const wrong = new Violations()
  const at = (field: string) => wrong.at(`${method.replace('-', '_')}.${field}`)
  idField(identityId, at('identity_id'))
  if (jwt.length === 0 || jwt.length > MAX_JWT_LENGTH) at('jwt')(`must be 1 to ${MAX_JWT_LENGTH} characters`)
  wrong.refuse()
  return { identityId, method, jwt }
}
