import { Violations } from '#libs/domain-error.js'
import type { Ids } from '#libs/ids.js'
import { attributeFrom } from '#libs/rpc/rule-message.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { CheckRequest, CheckResponse } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import type { Value } from '#libs/wire/gen/countersign/rules/v1/value.js'
import { assertLive, decide, type Reason } from '../domain/decide.js'
import { type Asked, attributeField, checkQuestion, type GivenAttributes } from '../domain/question.js'
import type { Asker, AskerOf } from './caller.js'
import { consistencyFrom } from './consistency-message.js'
import { revisionOf, toDecisionMessage } from './decision-message.js'
import { type Feeds, presented } from './gather.js'
import type { Judge } from './judge.js'

type Outside = { readonly judge: Judge; readonly feeds: Feeds; readonly asker: AskerOf; readonly ids: Ids; readonly decided: (reason: Reason) => void }

export function check({ judge, feeds, asker, ids, decided }: Outside): Unary<CheckRequest, CheckResponse> {
  const revision = revisionOf(feeds)
  return (request, call) => {
    const wrong = new Violations()
    const question = checkQuestion(askedIn(request, wrong), wrong)
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
        decided(decision.reason)
        call.note({ allowed: decision.allowed, decision_reason: decision.reason, decision_id: decisionId })
        return toDecisionMessage(decision, { evidence, feeds, revision: revision(), decisionId })
      })
    const by = asker(call)
    return by instanceof Promise ? by.then(answer) : answer(by)
  }
}

const askedIn = ({ accessToken, projectId, action, resource, context }: CheckRequest, wrong: Violations): Asked => ({
  accessToken,
  projectId,
  action,
  resource: resource?.type,
  attributes: attributesFrom(resource?.attributes ?? {}, 'resource.attributes', wrong),
  context: attributesFrom(context, 'context', wrong),
})

const attributesFrom = (messages: Readonly<Record<string, Value>>, field: string, wrong: Violations): GivenAttributes =>
  new Map(Object.entries(messages).map(([name, message]) => [name, attributeFrom(message, wrong.at(attributeField(field, name)))]))
