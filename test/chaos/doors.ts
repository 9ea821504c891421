import { AuthorizationCheckServiceService as Check, type CheckResponse as Decision, type Consistency, DecisionReason } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { AuthorizationService as Envoy, CheckRequest, type CheckResponse } from '#libs/wire/gen/envoy/service/auth/v3/external_auth.js'
import type { Calls } from '../support/calls.js'
import { type Answer, NO_ANSWER } from './history.js'
import { answerOf } from './recorder.js'
import { QUESTION } from './registry-calls.js'
import { HERE } from './trusted-addresses.js'

// The two doors by which one question can be asked.

/** What a proxy saw in a certificate, and whose principals its route takes. */
type Certificate = { readonly principal: string; readonly organizationId: string }

export type Question<Shown> = { readonly shown: Shown; readonly projectId: string; readonly consistency: Consistency }

/** One of ANSWERS, NO_ANSWER, or what else was said; with the revision that an answer reflects where it says so. */
export type Answered = { readonly answer: string; readonly revision: string }

const DEADLINE_MILLIS = 1_000

export async function askCheck(calls: Calls, { shown, projectId, consistency }: Question<string>): Promise<Answered> {
  const message = { accessToken: shown, projectId, action: QUESTION.action, resource: { type: QUESTION.resource, attributes: {} }, consistency, context: {}, sourceAddress: HERE }
  const answered = await calls(Check.check, message, DEADLINE_MILLIS).catch(answerOf)
  if (typeof answered !== 'string') return { answer: decisionIn(answered), revision: answered.revision }
  return { answer: answered.startsWith('UNAUTHENTICATED ACCESS_TOKEN_REJECTED') ? 'rejected' : answered, revision: '' }
}

function decisionIn({ allowed, reason }: Decision): Answer {
  if (reason === DecisionReason.SOURCE_NOT_TRUSTED) return 'elsewhere'
  return allowed ? 'allow' : 'deny'
}

/** As Envoy asks, with a route that says `bounded` or `full`, and a token or a certificate. */
export async function askExtAuthz(calls: Calls, { shown, projectId, consistency }: Question<string | Certificate>): Promise<Answered> {
  const level = consistency.level?.$case === 'full' ? 'full' : 'bounded'
  const [headers, principal, organization] = typeof shown === 'string' ? [{ authorization: `Bearer ${shown}` }, '', {}] : [{}, shown.principal, { organization: shown.organizationId }]
  const request = CheckRequest.fromPartial({
    attributes: {
      contextExtensions: { action: QUESTION.action, resource: QUESTION.resource, project: projectId, consistency: level, ...organization },
      source: { principal, address: { address: { $case: 'socketAddress', value: { address: HERE } } } },
      request: { http: { method: 'GET', path: '/', host: 'app', headers } },
    },
  })
  const answered = await calls(Envoy.check, request, DEADLINE_MILLIS).catch(answerOf)
  if (typeof answered === 'string') return { answer: answered, revision: '' }
  const revision: unknown = answered.dynamicMetadata?.['revision']
  return { answer: saidBy(answered), revision: typeof revision === 'string' ? revision : '' }
}

const UNAVAILABLE = 14

function saidBy({ status, httpResponse }: CheckResponse): string {
  if (httpResponse?.$case === 'okResponse') return status?.code === 0 ? 'allow' : `an ok_response with status ${status?.code ?? 'none'}`
  if (httpResponse?.$case !== 'deniedResponse') return status?.code === UNAVAILABLE ? NO_ANSWER : `no decision, with status ${status?.code ?? 'none'}: ${status?.message ?? ''}`
  const { body } = httpResponse.value
  if (body.includes('"ACCESS_TOKEN_REJECTED"') || body.includes('"PRINCIPAL_REJECTED"')) return 'rejected'
  if (body.includes('"SOURCE_NOT_TRUSTED"')) return 'elsewhere'
  return body.includes('"decisionId"') ? 'deny' : `denied: ${body}`
}
