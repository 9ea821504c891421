import { compileGlob } from './glob.js'

export type Operator = 'eq' | 'in' | 'glob'

/** Compares one attribute of the checked resource with one or more values. */
export type Condition = { readonly attribute: string; readonly operator: Operator; readonly values: readonly string[] }

/** What a resource is checked by, by name. */
export type Attributes = ReadonlyMap<string, string>

/** Undefined where the attribute is missing: then an allow rule does not match, and a deny rule does. */
export type CompiledCondition = (attributes: Attributes) => boolean | undefined

export function compileCondition({ attribute, operator, values }: Condition): CompiledCondition {
  const holds = comparison(operator, values)
  return (attributes) => {
    const value = attributes.get(attribute)
    return value === undefined ? undefined : holds(value)
  }
}

function comparison(operator: Operator, values: readonly string[]): (value: string) => boolean {
  switch (operator) {
    case 'eq':
    case 'in': {
      const wanted = new Set(values)
      return (value) => wanted.has(value)
    }
    case 'glob': {
      const globs = values.map(compileGlob)
      return (value) => globs.some((glob) => glob.matches(value))
    }
  }
}
