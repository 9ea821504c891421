import type { Violations } from '#libs/domain-error.js'
import { credentialText, optionalId } from '#libs/fields.js'
import { isWord, WORD_PROBLEM } from '#libs/rules/rule.js'

/** What is asked: may the holder of this token do this to that resource? */
export type Question = {
  readonly token: string
  /** Undefined: the organization itself. */
  readonly projectId: string | undefined
  readonly action: string
  readonly resource: string
  readonly attributes: ReadonlyMap<string, string>
}

/** The question as it arrives; an attribute without a value is undefined. */
export type Asked = {
  readonly accessToken: string
  readonly projectId: string
  readonly action: string
  readonly resource: string | undefined
  readonly attributes: ReadonlyMap<string, string | undefined>
}

const MAX_ATTRIBUTES = 50
const MAX_VALUE_LENGTH = 4096

export function checkQuestion({ accessToken, projectId, action, resource, attributes }: Asked, wrong: Violations): Question {
  const token = credentialText(accessToken, wrong.at('access_token'))
  const project = optionalId(projectId, wrong.at('project_id'))
  if (!isWord(action)) wrong.at('action')(WORD_PROBLEM)
  if (resource === undefined) wrong.at('resource')('must be set')
  else if (!isWord(resource)) wrong.at('resource.type')(WORD_PROBLEM)
  if (attributes.size > MAX_ATTRIBUTES) wrong.at('resource.attributes')(`must be at most ${MAX_ATTRIBUTES}`)
  const values = new Map<string, string>()
  for (const [name, value] of attributes) {
    const report = wrong.at(`resource.attributes[${isWord(name) ? name : '?'}]`)
    if (!isWord(name)) report(`has a name that ${WORD_PROBLEM}`)
    if (value === undefined) report('must have a value')
    else if (value.length > MAX_VALUE_LENGTH) report(`must be at most ${MAX_VALUE_LENGTH} characters`)
    else values.set(name, value)
  }
  return { token, projectId: project, action, resource: resource ?? '', attributes: values }
}
