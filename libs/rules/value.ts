// What conditions compare: the values of attributes, and those that rules hold against them. All of it is JSON.

/** A moment, as `Date.toISOString` writes it. */
export type Time = { readonly time: string }

/** An address is a text in its one spelling. */
export type Scalar = string | number | boolean | Time

/** Of an attribute; a list is judged by its elements. */
export type Value = Scalar | readonly Scalar[]

export type ScalarType = 'string' | 'number' | 'boolean' | 'time'

export function typeOf(value: Scalar): ScalarType {
  if (typeof value === 'string') return 'string'
  if (typeof value === 'object') return 'time'
  return typeof value === 'number' ? 'number' : 'boolean'
}

/** Of a value that was checked to be a text. */
export const textIn = (value: Scalar): string => (typeof value === 'string' ? value : '')

/** Equal values of one type have equal keys, and others never do. */
export const keyOf = (value: Scalar): string | number | boolean => (typeof value === 'object' ? value.time : value)

export const isList = (value: Value): value is readonly Scalar[] => Array.isArray(value)

/** A moment in its one spelling, or undefined where the date is none. */
export const timeOf = (date: Date): Time | undefined => (Number.isNaN(date.getTime()) ? undefined : { time: date.toISOString() })
