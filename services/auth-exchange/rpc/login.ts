import type { ServiceCallers } from '#libs/rpc/service-credential.js'
import { sourceAddressOf } from '#libs/rpc/source-address.js'
import type { Call, Unary } from '#libs/rpc/unary.js'
import type { LoginRequest, LoginResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { UNIVERSAL_AUTH } from '../domain/universal-auth.js'
import type { LoginAttempts, MethodProof, ProofVerifier, UniversalAuthVerifier } from '../ports.js'
import { holdThrottled } from './hold-throttled.js'
import { issueLogin, type IssueOutside } from './issue-login.js'
import { loginProof } from './login-proof.js'

type Outside = IssueOutside & {
  readonly attempts: LoginAttempts
  readonly universalAuth: UniversalAuthVerifier
  readonly methodProofs: ProofVerifier<MethodProof>
  readonly callers: ServiceCallers
}

export function login({ attempts, universalAuth, methodProofs, callers, ...outside }: Outside): Unary<LoginRequest, LoginResponse> {
  const issue = issueLogin(outside)
  const hold = holdThrottled()
  const logIn = async (request: LoginRequest, call: Call): Promise<LoginResponse> => {
    const proof = loginProof(request.proof)
    const sourceAddress = sourceAddressOf(call, callers)
    const tried = 'jwt' in proof ? { clientId: proof.identityId, method: proof.method } : { clientId: proof.clientId, method: UNIVERSAL_AUTH }
    const attempt = attempts.begin(call, { ...tried, sourceAddress })
    const asked = { attempt, call, sourceAddress }
    const remembered = 'jwt' in proof ? undefined : universalAuth.remembered({ ...proof, sourceAddress })
    const early = remembered && (await issue(remembered, asked))
    const verified = () => ('jwt' in proof ? methodProofs.verify(proof, attempt) : universalAuth.verify({ ...proof, sourceAddress }, attempt))
    // What was remembered is not so any more, or nothing was: all of it is read.
    const response = early ?? (await issue(await verified(), asked))
    if (!response) throw attempt.refusal('overtaken')
    attempt.succeeded()
    return response
  }
  return (request, call) => hold(call.deadline, logIn(request, call))
}
