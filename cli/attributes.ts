import { z } from 'zod'
import type { Value } from '#libs/wire/gen/countersign/rules/v1/value.js'
import { wrongUsage } from './failure.js'

// Attributes of a check as they are written on the command line: KEY=TEXT, or KEY:=JSON for what is no text.

const scalar = z.union([
  z.string().transform((value): Value => ({ kind: { $case: 'stringValue', value } })),
  z.number().transform((value): Value => ({ kind: { $case: 'numberValue', value } })),
  z.boolean().transform((value): Value => ({ kind: { $case: 'boolValue', value } })),
  z.strictObject({ ip: z.string() }).transform(({ ip }): Value => ({ kind: { $case: 'ipValue', value: ip } })),
  z.strictObject({ time: z.iso.datetime({ offset: true }) }).transform(({ time }): Value => ({ kind: { $case: 'timeValue', value: new Date(time) } })),
])

const value = z.union([scalar, z.array(scalar).transform((values): Value => ({ kind: { $case: 'listValue', value: { values } } }))])

export const parseAttributes = (option: string, texts: readonly string[]): Record<string, Value> => Object.fromEntries(texts.map((text) => parseAttribute(option, text)))

function parseAttribute(option: string, text: string): [string, Value] {
  const [, key, typed, written] = /^([^=]+?)(:?)=(.*)$/s.exec(text) ?? []
  if (key === undefined || written === undefined) throw wrongUsage(`${option} ${text} is not key=value.`)
  return [key, typed === '' ? { kind: { $case: 'stringValue', value: written } } : typedValue(option, text, written)]
}

function typedValue(option: string, text: string, json: string): Value {
  const parsed = value.safeParse(jsonOrUndefined(json))
  if (!parsed.success) throw wrongUsage(`${option} ${text} is not key:=JSON of a text, a number, true, false, {"ip": "..."}, {"time": "..."} or a list of these.`)
  return parsed.data
}

function jsonOrUndefined(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
