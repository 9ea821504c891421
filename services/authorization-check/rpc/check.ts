import { Violations } from '#libs/domain-error.js'
import { attributeFrom } from '#libs/rpc/rule-message.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { CheckRequest, CheckResponse } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import type { Value } from '#libs/wire/gen/countersign/rules/v1/value.js'
import { attributeField, checkQuestion, type GivenAttributes } from '../domain/question.js'
import { consistencyFrom } from './consistency-message.js'
import type { Deciding } from './deciding.js'
import { revisionOf, toDecisionMessage } from './decision-message.js'
import { type Feeds, presented } from './gather.js'

type Outside = { readonly deciding: Deciding; readonly feeds: Feeds }

export function check({ deciding, feeds }: Outside): Unary<CheckRequest, CheckResponse> {
  const revision = revisionOf(feeds)
  return (request, call) => {
    const wrong = new Violations()
    const { token, question } = checkQuestion(askedIn(request, wrong), wrong)
    const consistency = consistencyFrom(request.consistency, wrong.at('consistency.at_least'))
    wrong.refuse()
    return deciding({ credential: presented(token), question, consistency }, call, (decided) => toDecisionMessage(decided, feeds, revision()))
  }
}

const askedIn = ({ accessToken, projectId, action, resource, context, sourceAddress }: CheckRequest, wrong: Violations) => ({
  accessToken,
  projectId,
  action,
  resource: resource?.type,
  attributes: attributesFrom(resource?.attributes ?? {}, 'resource.attributes', wrong),
  context: attributesFrom(context, 'context', wrong),
  sourceAddress,
})

const attributesFrom = (messages: Readonly<Record<string, Value>>, field: string, wrong: Violations): GivenAttributes =>
  new Map(Object.entries(messages).map(([name, message]) => [name, attributeFrom(message, wrong.at(attributeField(field, name)))]))
