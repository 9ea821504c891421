import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DomainError } from '#libs/domain-error.js'
import { DecisionReason, AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { allow, bindTo, deny, type Limited, makeLimited, makeProject, textValue } from '../support/builders.js'
import { askAsEnvoy, bearerHeader, seenByClient } from '../support/envoy.js'
import { BOUNDED, type Session, startSystem, type System } from '../support/system.js'

// The answer to a request is Check's answer to the question that its route makes of it. The question is made here once
// more, from the parts that route and request were made of and not from their text. Seen to fail with attributes left
// unread by the door, with the action not in lower case, and with the project taken for the organization.

let system: System
let admin: Session
let limited: Limited
let projectId: string

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  limited = await makeLimited(system, admin, 'limited')
  projectId = await makeProject(admin, 'shop')
  await bindTo(admin, limited.identityId, projectId, 'viewer')
  await system.everywhere(limited.may(
    allow(['get', 'a'], ['orders', 'b']),
    allow(['delete', 'post'], ['*'], { attribute: 'p', glob: '/a/*' }, { attribute: 'context.c', in: ['a', 'x y'] }),
    allow(['*'], ['c'], { attribute: 'p', eq: '*' }),
    deny(['*'], ['*'], { attribute: 'd', glob: '*b*' }),
  ))
})
afterAll(() => system.close())

/** A template, and what a request makes of it. */
type Part = { readonly template: string; readonly value: string | undefined }

type Request = { readonly method: string; readonly segments: readonly string[]; readonly query: string | undefined; readonly header: string | undefined; readonly twice: boolean }

const words = fc.constantFrom('a', 'b', 'c', 'A', '*', 'x y', 'orders', 'a%41')
const requests: fc.Arbitrary<Request> = fc.record({
  method: fc.constantFrom('GET', 'DELETE', 'POST'),
  segments: fc.array(fc.constantFrom('a', 'b', 'c', 'orders', 'x y', '*'), { maxLength: 3 }),
  query: fc.option(words, { nil: undefined }),
  header: fc.option(words, { nil: undefined }),
  twice: fc.boolean(),
})

const ofRequest: readonly ((request: Request) => Part)[] = [
  ({ method }) => ({ template: '{{method}}', value: method.toLowerCase() }),
  ({ segments }) => ({ template: '{{path}}', value: `/${segments.join('/')}` }),
  ({ segments }) => ({ template: '{{path.1}}', value: segments[0] }),
  ({ segments }) => ({ template: '{{ path.2 }}', value: segments[1] }),
  ({ query, twice }) => ({ template: '{{query.q}}', value: twice ? undefined : query }),
  ({ header, twice }) => ({ template: '{{header.x-h}}', value: twice ? undefined : header }),
]

/** A text of a route: literals and what it reads, at random. */
const texts = (request: Request, literals: readonly string[]): fc.Arbitrary<Part> => {
  const part = fc.oneof(fc.constantFrom(...literals).map((text) => ({ template: text, value: text })), fc.constantFrom(...ofRequest).map((of) => of(request)))
  return fc.oneof({ weight: 3, arbitrary: part }, { weight: 1, arbitrary: fc.tuple(part, part).map(joined) })
}

const joined = (parts: readonly Part[]): Part => ({
  template: parts.map(({ template }) => template).join(''),
  value: parts.some(({ value }) => value === undefined) ? undefined : parts.map(({ value }) => value).join(''),
})

const cases = requests.chain((request) =>
  fc.record({
    request: fc.constant(request),
    action: texts(request, ['get', 'a', 'delete']),
    resource: texts(request, ['orders', 'b', 'c']),
    inProject: fc.boolean(),
    p: fc.option(texts(request, ['/a/', 'a', '*']), { nil: undefined }),
    d: fc.option(texts(request, ['a', 'b']), { nil: undefined }),
    c: fc.option(texts(request, ['a', 'x y']), { nil: undefined }),
  }))

type Case = typeof cases extends fc.Arbitrary<infer Made> ? Made : never

async function byDoor({ request, action, resource, inProject, p, d, c }: Case): Promise<string> {
  const extensions = {
    action: action.template,
    resource: resource.template,
    ...(inProject && { project: projectId }),
    ...(p && { 'attribute.p': p.template }),
    ...(d && { 'attribute.d': d.template }),
    ...(c && { 'context.c': c.template }),
  }
  const parameter = request.query === undefined ? [] : [`q=${encodeURIComponent(request.query)}`]
  const header = request.header === undefined ? [] : [['x-h', request.header] as const]
  const path = `/${request.segments.map(encodeURIComponent).join('/')}?${[...parameter, ...(request.twice ? parameter : [])].join('&')}`
  const headers = [bearerHeader(limited.session.token), ...header, ...(request.twice ? header : [])]
  const seen = seenByClient(await askAsEnvoy(system.anonymous.check, { extensions, method: request.method, path, headers, raw: true }))
  if (seen.http === 200) return 'ALLOWED'
  return ['NO_RULE', 'DENIED_BY_RULE'].includes(seen.body.error.reason) ? seen.body.error.reason : `refused ${seen.http}`
}

async function byCheck({ action, resource, inProject, p, d, c }: Case): Promise<string> {
  if (action.value === undefined || resource.value === undefined) return 'refused 403'
  const attributes = Object.fromEntries(Object.entries({ p, d }).flatMap(([name, part]) => (part?.value === undefined ? [] : [[name, textValue(part.value)]])))
  const context = c?.value === undefined ? {} : { c: textValue(c.value) }
  const asked = { accessToken: limited.session.token, projectId: inProject ? projectId : '', action: action.value, resource: { type: resource.value, attributes }, consistency: BOUNDED, context, sourceAddress: '' }
  try {
    const { allowed, reason } = await system.anonymous.check(Check.check, asked)
    if (allowed) return 'ALLOWED'
    return reason === DecisionReason.DENIED_BY_RULE ? 'DENIED_BY_RULE' : 'NO_RULE'
  } catch (error) {
    if (error instanceof DomainError && error.kind === 'INVALID_ARGUMENT') return 'refused 403'
    throw error
  }
}

/** Where a request makes a path in another spelling than its one, the door refuses what Check would read in that one. */
const isRespelled = ({ p, d, c }: Case): boolean =>
  [p, d, c].some((part) => part?.template.includes('{{') === true && part.value?.startsWith('/') === true && (part.value.length > 1 && part.value.endsWith('/') || /\/\/|%/.test(part.value)))

/** A route that would be wrong with every request is trouble, and has a test of its own. */
const isMisconfigured = ({ action, resource }: Case): boolean =>
  [action, resource].some(({ template }) => !/^[a-z0-9._-]*$/.test(template.replace(/\{\{[^}]*\}\}/g, '')))

describe('the answer to a request', () => {
  it("is Check's answer to the question that its route makes of it", async () => {
    const outcomes = new Map<string, number>()
    await fc.assert(fc.asyncProperty(cases, async (one) => {
      fc.pre(!isMisconfigured(one))
      const answer = await byDoor(one)
      outcomes.set(answer, (outcomes.get(answer) ?? 0) + 1)
      expect(answer).toBe(isRespelled(one) ? 'refused 403' : await byCheck(one))
    }), { numRuns: 400 })
    // It would be worth little if all were refused.
    expect([...outcomes.keys()].sort()).toEqual(['ALLOWED', 'DENIED_BY_RULE', 'NO_RULE', 'refused 403'])
  })

  it('is one of the few that there are, whatever is asked', async () => {
    const anything = fc.record({
      extensions: fc.dictionary(fc.oneof(fc.constantFrom('action', 'resource', 'project', 'attribute.a', 'organization'), fc.string()), fc.oneof(fc.constantFrom('get', '{{path.1}}', '{{header.a}}'), fc.string({ unit: 'binary' }))),
      method: fc.string({ unit: 'binary' }),
      path: fc.oneof(fc.string({ unit: 'binary' }), fc.string().map((text) => `/${text}`)),
      host: fc.string({ unit: 'binary' }),
      principal: fc.string({ unit: 'binary' }),
      headers: fc.array(fc.tuple(fc.oneof(fc.constantFrom('authorization', 'a'), fc.string({ unit: 'binary' })), fc.string({ unit: 'binary' }))),
      raw: fc.boolean(),
    })
    const seen = new Set<number>()
    await fc.assert(fc.asyncProperty(anything, fc.boolean(), async (asked, isRouted) => {
      const extensions = isRouted ? { action: 'get', resource: 'nothing' } : asked.extensions
      const { http, trouble } = seenByClient(await askAsEnvoy(system.anonymous.check, { ...asked, extensions }))
      seen.add(http)
      expect([401, 403, 500]).toContain(http)
      expect(trouble).toBe(http === 500)
    }), { numRuns: 300 })
    expect([...seen].sort()).toEqual([401, 500])
    expect(system.logged()).not.toContain('unexpected error')
  })
})
