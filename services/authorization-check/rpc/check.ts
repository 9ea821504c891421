import type { Ids } from '#libs/ids.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { CheckRequest, CheckResponse } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { decide } from '../domain/decide.js'
import { questionFrom } from '../domain/question.js'
import { accessTokenRejected } from '../domain/refusals.js'
import type { GrantReader, TokenReader } from '../ports.js'
import type { AskerOf } from './caller.js'
import { toDecisionMessage } from './decision-message.js'

type Outside = { readonly tokens: TokenReader; readonly grants: GrantReader; readonly asker: AskerOf; readonly ids: Ids }

export function check({ tokens, grants, asker, ids }: Outside): Unary<CheckRequest, CheckResponse> {
  return async ({ accessToken, projectId, action, resource }, call) => {
    const attributes = new Map(Object.entries(resource?.attributes ?? {}).map(([name, { kind }]) => [name, kind?.value]))
    const question = questionFrom({ accessToken, projectId, action, resource: resource?.type, attributes })
    const { mayAskAbout } = await asker(call)
    const token = await tokens.describe(question.token, call)
    const { organizationId, identityId } = token
    call.note({ organization_id: organizationId, identity_id: identityId, token_id: token.tokenId, action, resource: question.resource })
    if (!mayAskAbout(organizationId)) throw accessTokenRejected()
    const held = await grants.grantsOf({ organizationId, identityId, projectId: question.projectId }, call)
    if (!held.active) throw accessTokenRejected()
    const decision = decide(held, question)
    const decisionId = ids.next()
    call.note({ allowed: decision.allowed, decision_reason: decision.reason, decision_id: decisionId })
    return toDecisionMessage(decision, { token, held, decisionId })
  }
}
