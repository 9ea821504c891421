import type { Moment } from '#libs/clock.js'
import { accessTokenMissing } from '#libs/rpc/bearer.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { HeaderValueOption } from '#libs/wire/gen/envoy/config/core/v3/base.js'
import type { AttributeContext } from '#libs/wire/gen/envoy/service/auth/v3/attribute_context.js'
import { type CheckRequest, OkHttpResponse } from '#libs/wire/gen/envoy/service/auth/v3/external_auth.js'
import { bearerIn } from '../domain/bearer.js'
import { cacheableMillis } from '../domain/cacheable.js'
import { routeMisconfigured } from '../domain/refusals.js'
import { targetOf } from '../domain/request-target.js'
import type { Route } from '../domain/route.js'
import type { Credential } from '../ports.js'
import type { Decided, Deciding } from './deciding.js'
import { revisionOf } from './decision-message.js'
import { type EnvoyAnswer, notAllowed } from './envoy-answer.js'
import { ours, percentEncoded } from './envoy-headers.js'
import { headersOf, type SeenHeaders } from './envoy-request.js'
import { type Feeds, presented, presentedPrincipal } from './gather.js'
import type { RouteReader } from './routes.js'

type Outside = { readonly deciding: Deciding; readonly feeds: Feeds; readonly routes: RouteReader; readonly now: () => Moment }

/** `envoy.service.auth.v3.Authorization/Check`: whether a proxy may let a request through. */
export function envoyCheck({ deciding, feeds, routes, now }: Outside): Unary<CheckRequest, EnvoyAnswer> {
  const revision = revisionOf(feeds)
  return ({ attributes }, call) => {
    const { route, problem } = routes.read(attributes?.contextExtensions ?? {})
    const http = attributes?.request?.http
    if (!route || !http) {
      call.note({ problem: problem ?? 'the request is none of HTTP' })
      throw routeMisconfigured(problem ?? 'the request is none of HTTP')
    }
    const headers = headersOf(http)
    const credential = credentialOf(route, { authorization: headers.authorization, principal: attributes.source?.principal ?? '' })
    const { method, host } = http
    const matter = route.matterOf({ method, host, target: targetOf(http.path), headers: headers.all })
    const question = { ...matter, sourceAddress: sourceOf(attributes) }
    return deciding({ credential, question, consistency: { level: route.consistency } }, call, (decided) => {
      const { decision: { reason }, decisionId } = decided
      const facts = factsOf(decided, revision())
      if (reason !== 'allowed-by-rule') return notAllowed(reason, decisionId, facts)
      return allowed(decided, { route, headers, facts, leftOfBoundMillis: leftOfBound(route, feeds, now()) })
    })
  }
}

/** The name in the certificate counts where the route says whose principals do, and the request shows no token. */
function credentialOf({ organizationId }: Route, { authorization, principal }: { readonly authorization: readonly string[]; readonly principal: string }): Credential {
  const token = bearerIn(authorization)
  if (token !== undefined) return presented(token)
  if (organizationId === undefined || principal === '') throw accessTokenMissing()
  return presentedPrincipal(organizationId, principal)
}

/** As Envoy takes it from the connection, or from headers where it is told to trust them; on a Unix socket there is none. */
function sourceOf({ source }: AttributeContext): string | undefined {
  const address = source?.address?.address
  return address?.$case === 'socketAddress' ? address.value.address : undefined
}

/** Whoever wants what is true now, wants it for each request. */
const leftOfBound = ({ consistency }: Route, { registry, exchange }: Feeds, at: Moment): number =>
  consistency === 'full' ? 0 : Math.min(...[registry, exchange].map(({ lease }) => lease.boundMillis - lease.ageMillis(at)))

/** What both answers tell the filters behind, and the access log. */
function factsOf({ evidence, decisionId }: Decided, revision: string) {
  const { identityId, organizationId, tokenId, method } = evidence.credential
  return {
    identity_id: identityId,
    identity_name: evidence.grants.identityName,
    organization_id: organizationId,
    ...(tokenId !== undefined && { token_id: tokenId }),
    method,
    decision_id: decisionId,
    revision,
  }
}

type About = { readonly route: Route; readonly headers: SeenHeaders; readonly facts: ReturnType<typeof factsOf>; readonly leftOfBoundMillis: number }

function allowed({ evidence }: Decided, { route, headers, facts, leftOfBoundMillis }: About): EnvoyAnswer {
  const set = told(facts)
  const names = new Set(set.map(({ header }) => header?.key))
  return {
    status: { code: 0, message: '', details: [] },
    httpResponse: {
      $case: 'okResponse',
      value: OkHttpResponse.fromPartial({
        headers: set,
        headersToRemove: [...headers.ours.filter((name) => !names.has(name)), ...(route.forwardsAuthorization ? [] : ['authorization'])],
      }),
    },
    dynamicMetadata: { ...facts, cacheable_for_ms: cacheableMillis(evidence, leftOfBoundMillis) },
  }
}

const told = (facts: ReturnType<typeof factsOf>): HeaderValueOption[] => [
  ours('identity', facts.identity_id),
  ours('identity-name', percentEncoded(facts.identity_name)),
  ours('organization', facts.organization_id),
  ours('decision-id', facts.decision_id),
  ours('revision', facts.revision),
]
