// Values that speak of the identity that asks: `/home/{{identity.name}}`. What is inserted is only ever a text.

/** The identity that templates speak of. */
export type Subject = {
  readonly id: string
  readonly name: string
  readonly metadata: ReadonlyMap<string, string>
  /** What its login proved of it. */
  readonly auth: ReadonlyMap<string, string>
}

type Placeholder = (subject: Subject) => string | undefined

export type Template = readonly (string | Placeholder)[]

/** What is wrong with a text, and at which of its characters, from 1. */
export type Problem = { readonly column: number; readonly problem: string }

const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}/g
const OPENED = '{{'

/** The text itself where it holds no placeholder. */
export function templateOf(text: string): Template {
  const parts: (string | Placeholder)[] = []
  let from = 0
  for (const { 0: whole, 1: path = '', index } of text.matchAll(PLACEHOLDER)) {
    const placeholder = placeholderOf(path)
    if (!placeholder) continue
    parts.push(text.slice(from, index), placeholder)
    from = index + whole.length
  }
  return [...parts, text.slice(from)].filter((part) => part !== '')
}

export const isTemplate = (text: string): boolean => templateOf(text).some((part) => typeof part !== 'string')

export function templateProblem(text: string): Problem | undefined {
  for (const { 1: path = '', index } of text.matchAll(PLACEHOLDER)) {
    if (!placeholderOf(path)) {
      return { column: index + 1, problem: 'has a placeholder that is none of {{identity.id}}, {{identity.name}}, {{identity.metadata.KEY}} and {{identity.auth.CLAIM}}' }
    }
  }
  const opened = text.replace(PLACEHOLDER, (whole) => '.'.repeat(whole.length)).indexOf(OPENED)
  return opened === -1 ? undefined : { column: opened + 1, problem: 'has a {{ without a }}' }
}

/** The text for this identity, each inserted value as `written` writes it; undefined where one of them is not known. */
export function render(template: Template, subject: Subject, written: (value: string) => string = (value) => value): string | undefined {
  let text = ''
  for (const part of template) {
    const value = typeof part === 'string' ? undefined : part(subject)
    if (typeof part === 'string') text += part
    else if (value === undefined) return undefined
    else text += written(value)
  }
  return text
}

const KEYED = /^identity\.(metadata|auth)\.([A-Za-z0-9._-]{1,64})$/

function placeholderOf(path: string): Placeholder | undefined {
  if (path === 'identity.id') return ({ id }) => id
  if (path === 'identity.name') return ({ name }) => name
  const [, of, key] = KEYED.exec(path) ?? []
  if (key === undefined) return undefined
  return of === 'auth' ? ({ auth }) => auth.get(key) : ({ metadata }) => metadata.get(key)
}
