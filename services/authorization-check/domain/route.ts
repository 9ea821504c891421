import { Violations } from '#libs/domain-error.js'
import { id } from '#libs/fields.js'
import { canonicalPath, isPath } from '#libs/rules/path.js'
import { isWord } from '#libs/rules/rule.js'
import type { HttpRequest } from './http-request.js'
import { type Asked, checkMatter, CONTEXT, type GivenAttributes, type Matter } from './question.js'
import { pathNotCanonical, requestNotRecognized } from './refusals.js'
import { fill, filledWith, isLiteral, parseTemplate, parseWordTemplate, type Template } from './route-template.js'

/** What the operator says of a route of a proxy: what its requests ask for, in their own words. */
export type Route = {
  readonly consistency: 'bounded' | 'full'
  /** Whether the application still sees who asked. */
  readonly forwardsAuthorization: boolean
  /** Whose principals are good for a request that shows no token. */
  readonly organizationId: string | undefined
  /** What a request asks about. Refuses with REQUEST_NOT_RECOGNIZED and PATH_NOT_CANONICAL. */
  matterOf(request: HttpRequest): Matter
}

/** `problem` says everything that is wrong. */
export type CompiledRoute = { readonly route: Route; readonly problem?: undefined } | { readonly route?: undefined; readonly problem: string }

type Templates = {
  readonly action: Template
  readonly resource: Template
  readonly project: Template
  readonly attributes: NamedTemplates
  readonly context: NamedTemplates
}

type NamedTemplates = ReadonlyMap<string, Template>

const ATTRIBUTE = 'attribute.'
const REQUIRED = ['action', 'resource']
const SETTINGS = ['organization', 'consistency', 'forward-authorization']
const TEMPLATES = [...REQUIRED, 'project']

const isKnown = (key: string): boolean => [...TEMPLATES, ...SETTINGS].includes(key) || key.startsWith(ATTRIBUTE) || key.startsWith(CONTEXT)

export function compileRoute(extensions: ReadonlyMap<string, string>): CompiledRoute {
  const wrong = new Violations()
  for (const key of REQUIRED.filter((one) => !extensions.has(one))) wrong.at(key)('must be set')
  for (const key of extensions.keys()) if (!isKnown(key)) wrong.at(isWord(key) ? key : '?')('is nothing that a route can say')
  const templates = templatesIn(extensions, wrong)
  const settings = settingsIn(extensions, wrong)
  if (wrong.found.length === 0) checkMatter(sampleOf(templates), wrong)
  if (wrong.found.length > 0) return { problem: wrong.found.map(({ field, description }) => `${keyOf(field)} ${description}`).join('; ') }
  return { route: { ...settings, matterOf: (request) => matterOf(templates, request) } }
}

function settingsIn(extensions: ReadonlyMap<string, string>, wrong: Violations): Omit<Route, 'matterOf'> {
  const [organization, consistency = 'bounded', forward = 'true'] = SETTINGS.map((key) => extensions.get(key))
  if (consistency !== 'bounded' && consistency !== 'full') wrong.at('consistency')('must be bounded or full')
  if (forward !== 'true' && forward !== 'false') wrong.at('forward-authorization')('must be true or false')
  return {
    consistency: consistency === 'full' ? 'full' : 'bounded',
    forwardsAuthorization: forward === 'true',
    organizationId: organization === undefined ? undefined : id(organization, wrong.at('organization')),
  }
}

function templatesIn(extensions: ReadonlyMap<string, string>, wrong: Violations): Templates {
  const templateOf = (key: string, parse = parseTemplate): Template => {
    const { template = [], problem } = parse(extensions.get(key) ?? '')
    if (problem !== undefined) wrong.at(key)(problem)
    return template
  }
  const named = (prefix: string) =>
    new Map([...extensions.keys()].filter((key) => key.startsWith(prefix)).map((key) => [key.slice(prefix.length), templateOf(key)]))
  return {
    action: templateOf('action', parseWordTemplate),
    resource: templateOf('resource', parseWordTemplate),
    project: templateOf('project'),
    attributes: named(ATTRIBUTE),
    context: named(CONTEXT),
  }
}

/** A question as far as the route alone makes it: what is wrong with it would be wrong with every request. */
const sampleOf = ({ action, resource, project, attributes, context }: Templates): Asked => ({
  projectId: isLiteral(project) ? filledWith(project, '') : '',
  action: filledWith(action, SAMPLE),
  resource: filledWith(resource, SAMPLE),
  attributes: new Map([...attributes].map(([name, template]) => [name, isLiteral(template) ? filledWith(template, '') : SAMPLE])),
  context: new Map([...context].map(([name, template]) => [name, isLiteral(template) ? filledWith(template, '') : SAMPLE])),
})

const SAMPLE = 'x'

/** What a question calls it, as the route does. */
const keyOf = (field: string): string =>
  field.replace(/^resource\.attributes\[(.*)\]$/, `${ATTRIBUTE}$1`).replace(/^context\[(.*)\]$/, `${CONTEXT}$1`).replace('resource.type', 'resource').replace('project_id', 'project')

function matterOf({ action, resource, project, attributes, context }: Templates, request: HttpRequest): Matter {
  const asked = { action: fill(action, request), resource: fill(resource, request), projectId: fill(project, request) }
  const { action: doing, resource: type, projectId } = asked
  if (doing === undefined || type === undefined || projectId === undefined) throw requestNotRecognized()
  // A request that leaves its project out must not be judged as one to the organization.
  if (projectId === '' && project.length > 0) throw requestNotRecognized()
  const wrong = new Violations()
  const matter = checkMatter({ action: doing, resource: type, projectId, attributes: filled(attributes, request), context: filled(context, request) }, wrong)
  if (wrong.found.length > 0) throw requestNotRecognized()
  return matter
}

/** What a request does not say is absent, so that no rule allows by it. */
function filled(templates: NamedTemplates, request: HttpRequest): GivenAttributes {
  const values = new Map<string, string>()
  for (const [name, template] of templates) {
    const value = fill(template, request)
    if (value === undefined) continue
    if (!isLiteral(template)) assertOneSpelling(value)
    values.set(name, value)
  }
  return values
}

/** Conditions undo the percent-encoding of a path: what was inserted into one must not be decoded twice, or lead elsewhere. */
function assertOneSpelling(value: string): void {
  if (isPath(value) && canonicalPath(value).path !== value) throw pathNotCanonical()
}
