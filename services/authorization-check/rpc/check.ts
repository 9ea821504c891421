import { Violations } from '#libs/domain-error.js'
import type { Ids } from '#libs/ids.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { CheckRequest, CheckResponse } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { assertLive, decide } from '../domain/decide.js'
import { checkQuestion } from '../domain/question.js'
import type { Asker, AskerOf } from './caller.js'
import { consistencyFrom } from './consistency-message.js'
import { toDecisionMessage } from './decision-message.js'
import { type Feeds, presented } from './gather.js'
import type { Judge } from './judge.js'

type Outside = { readonly judge: Judge; readonly feeds: Feeds; readonly asker: AskerOf; readonly ids: Ids }

export function check({ judge, feeds, asker, ids }: Outside): Unary<CheckRequest, CheckResponse> {
  return (request, call) => {
    const wrong = new Violations()
    const question = checkQuestion(askedIn(request), wrong)
    const consistency = consistencyFrom(request.consistency, wrong.at('consistency.at_least'))
    wrong.refuse()
    const subject = { token: presented(question.token), projectId: question.projectId, consistency }
    const answer = ({ mayAskAbout }: Asker) =>
      judge({ ...subject, mayAskAbout }, call, (evidence) => {
        const { organizationId, identityId, tokenId } = evidence.token
        call.note({ organization_id: organizationId, identity_id: identityId, token_id: tokenId, action: question.action, resource: question.resource })
        assertLive(evidence)
        const decision = decide(evidence, question)
        const decisionId = ids.next()
        call.note({ allowed: decision.allowed, decision_reason: decision.reason, decision_id: decisionId })
        return toDecisionMessage(decision, { evidence, feeds, decisionId })
      })
    const by = asker(call)
    return by instanceof Promise ? by.then(answer) : answer(by)
  }
}

const askedIn = ({ accessToken, projectId, action, resource }: CheckRequest) => ({
  accessToken,
  projectId,
  action,
  resource: resource?.type,
  attributes: new Map(Object.entries(resource?.attributes ?? {}).map(([name, { kind }]) => [name, kind?.value])),
})
