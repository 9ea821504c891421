import type { Report } from '#libs/domain-error.js'
import { hasControls } from '#libs/fields.js'
import { globProblem } from '#libs/rules/glob.js'

// Fields of a method's configuration that hold several things. `at` reports what is wrong with one of them.

type At = (field: string) => Report
type Listed = { readonly field: string; readonly max: number; readonly problemOf: (text: string) => string | undefined }

/** 1 to `max` texts, each of which has no problem. */
export function listFrom(texts: readonly string[], { field, max, problemOf }: Listed, at: At): readonly string[] {
  if (texts.length === 0 || texts.length > max) at(field)(`must hold 1 to ${max}`)
  for (const [place, text] of texts.slice(0, max).entries()) {
    const problem = problemOf(text)
    if (problem !== undefined) at(`${field}[${place}]`)(problem)
  }
  return texts
}

const MAX_GLOB_LENGTH = 512

export function globTextProblem(text: string): string | undefined {
  if (text.length === 0 || text.length > MAX_GLOB_LENGTH || hasControls(text)) return `must be 1 to ${MAX_GLOB_LENGTH} characters of UTF-8 and none of control`
  const found = globProblem(text)
  return found && `${found.problem} (column ${found.column})`
}

/** Of a text that is compared by each character. */
export const exactTextProblem = (text: string): string | undefined => (/^[\x21-\x7e]{1,512}$/.test(text) ? undefined : 'must be 1 to 512 characters of ASCII without spaces')
