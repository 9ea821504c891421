import type { Violations } from '#libs/domain-error.js'
import { credentialText, optionalAddress, optionalId } from '#libs/fields.js'
import type { Attributes } from '#libs/rules/condition.js'
import { canonicalPath, isPath } from '#libs/rules/path.js'
import { isWord, WORD_PROBLEM } from '#libs/rules/rule.js'
import { isList, type Scalar, type Value } from '#libs/rules/value.js'

/** What is asked about, whoever asks for it. */
export type Matter = {
  /** Undefined: the organization itself. */
  readonly projectId: string | undefined
  readonly action: string
  readonly resource: string
  /** Those of the context by their names with `context.` in front, and paths in their one spelling. */
  readonly attributes: Attributes
}

/** What is asked about a credential, and from where that is used: undefined where nobody knows. What is no address is none. */
export type Question = Matter & { readonly sourceAddress: string | undefined }

/** By name; what was no value was reported, and is undefined. */
export type GivenAttributes = ReadonlyMap<string, Value | undefined>

/** The question as it arrives. */
export type Asked = {
  readonly projectId: string
  readonly action: string
  readonly resource: string | undefined
  readonly attributes: GivenAttributes
  readonly context: GivenAttributes
}

/** Of a token, from where it is used. */
type AskedOfToken = Asked & { readonly accessToken: string; readonly sourceAddress: string }

export const CONTEXT = 'context.'

const MAX_ATTRIBUTES = 50
const MAX_VALUE_LENGTH = 4096

export function checkQuestion({ accessToken, sourceAddress, ...asked }: AskedOfToken, wrong: Violations): { readonly token: string; readonly question: Question } {
  const token = credentialText(accessToken, wrong.at('access_token'))
  return { token, question: { ...checkMatter(asked, wrong), sourceAddress: optionalAddress(sourceAddress, wrong.at('source_address')) } }
}

export function checkMatter({ projectId, action, resource, attributes, context }: Asked, wrong: Violations): Matter {
  const project = optionalId(projectId, wrong.at('project_id'))
  if (!isWord(action)) wrong.at('action')(WORD_PROBLEM)
  if (resource === undefined) wrong.at('resource')('must be set')
  else if (!isWord(resource)) wrong.at('resource.type')(WORD_PROBLEM)
  if (attributes.size + context.size > MAX_ATTRIBUTES) wrong.at('resource.attributes')(`must be at most ${MAX_ATTRIBUTES}, together with those of the context`)
  for (const name of attributes.keys()) {
    if (name.startsWith(CONTEXT) && isWord(name)) wrong.at(attributeField('resource.attributes', name))(`must not begin with ${CONTEXT}, which names what the context says`)
  }
  const values = new Map([
    ...attributesIn(attributes, 'resource.attributes', wrong),
    ...attributesIn(context, 'context', wrong).map(([name, value]): [string, Value] => [`${CONTEXT}${name}`, value]),
  ])
  return { projectId: project, action, resource: resource ?? '', attributes: values }
}

/** The field of one attribute: a name that can't be one is not repeated. */
export const attributeField = (field: string, name: string): string => `${field}[${isWord(name) ? name : '?'}]`

function attributesIn(given: GivenAttributes, field: string, wrong: Violations): [string, Value][] {
  const values: [string, Value][] = []
  for (const [name, value] of given) {
    const report = wrong.at(attributeField(field, name))
    if (!isWord(name)) report(`has a name that ${WORD_PROBLEM}`)
    if (value === undefined) continue
    values.push([name, isList(value) ? value.map((one) => compared(one, report)) : compared(value, report)])
  }
  return values
}

/** The value as conditions compare it. */
function compared(value: Scalar, report: (problem: string) => void): Scalar {
  if (typeof value !== 'string') return value
  if (value.length > MAX_VALUE_LENGTH) report(`must be at most ${MAX_VALUE_LENGTH} characters`)
  if (!isPath(value)) return value
  const { path, problem } = canonicalPath(value)
  if (problem !== undefined) report(problem)
  return path ?? value
}
