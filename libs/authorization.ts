import { askedTogether } from './asked-together.js'
import { DomainError } from './domain-error.js'
import { bearerToken } from './rpc/bearer.js'
import type { RpcClient } from './rpc/client.js'
import type { Call } from './rpc/unary.js'
import { AuthorizationCheckServiceService, CheckRequest, type CheckResponse, DecisionReason } from './wire/gen/countersign/authorization/v1/authorization_check.js'

// How a management call is authorized: authorization-check is asked about the caller's token, as any customer's service
// would ask, before a transaction is opened or a database connection taken.

/** Whose token a call carries. */
export type Caller = { readonly organizationId: string; readonly identityId: string; readonly tokenId: string }

export type Question = {
  readonly action: string
  readonly resource: string
  /** Asked in the project first, and where that is not enough in the organization. */
  readonly projectId?: string | undefined
  readonly attributes?: Readonly<Record<string, string>>
}

export type Authorization = {
  /** The caller, if its token is good and every question is answered with yes; a refusal otherwise. */
  require(call: Call, ...questions: readonly [Question, ...Question[]]): Promise<Caller>
  /** The caller, if its token is good, and what the answer is. */
  ask(call: Call, question: Question): Promise<{ caller: Caller; allowed: boolean }>
}

export const notAllowed = ({ action, resource }: Question): DomainError =>
  new DomainError('PERMISSION_DENIED', 'NOT_ALLOWED', `The roles of this token do not allow ${action} on ${resource}.`, { metadata: { action, resource } })

export const tokenSourceNotTrusted = (): DomainError =>
  new DomainError('PERMISSION_DENIED', 'TOKEN_SOURCE_NOT_TRUSTED', 'The access token is good, and may not be used from this address.')

export function authorizationBy(checkService: RpcClient): Authorization {
  // An answer that took a use of the token is for one call.
  const together = askedTogether<CheckResponse>(({ useLimited }) => !useLimited)
  const check = (call: Call, question: Question, projectId: string) => {
    const asked = requestOf(call, question, projectId)
    return together(JSON.stringify(asked), () => checkService.unary(AuthorizationCheckServiceService.check, CheckRequest.fromPartial(asked), call))
  }
  const ask = async (call: Call, question: Question) => {
    const inProject = question.projectId === undefined ? undefined : await check(call, question, question.projectId)
    const decision = inProject?.allowed ? inProject : await check(call, question, '')
    call.note({ identity_id: decision.identityId, organization_id: decision.organizationId, token_id: decision.tokenId })
    if (decision.reason === DecisionReason.SOURCE_NOT_TRUSTED) throw tokenSourceNotTrusted()
    return { caller: callerOf(decision), allowed: decision.allowed }
  }
  return {
    ask,
    require: async (call, ...questions) => {
      const answers = []
      for (const question of questions) {
        const { caller, allowed } = await ask(call, question)
        if (!allowed) throw notAllowed(question)
        answers.push(caller)
      }
      const [caller] = answers
      if (!caller) throw new Error('require needs a question')
      return caller
    },
  }
}

const requestOf = (call: Call, { action, resource, attributes = {} }: Question, projectId: string) => ({
  accessToken: bearerToken(call.metadata),
  projectId,
  action,
  resource: { type: resource, attributes: valuesOf(attributes) },
  sourceAddress: call.peerAddress ?? '',
  // So that what was just created can be used at once.
  consistency: { level: { $case: 'full' as const, value: {} } },
})

const callerOf = ({ organizationId, identityId, tokenId }: CheckResponse): Caller => ({ organizationId, identityId, tokenId })

const valuesOf = (attributes: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, { kind: { $case: 'stringValue' as const, value } }]))
