import { z } from 'zod'
import { OPERATORS } from './condition.js'
import type { Rule } from './rule.js'

// Rules as JSON: in files, on the command line, in the database and in Redis. What a role may hold, `checkRules` says.

const scalar = z.union([z.string(), z.number(), z.boolean(), z.strictObject({ time: z.iso.datetime({ offset: true, error: 'is no time such as 2026-01-31T00:00:00Z' }).transform((text) => new Date(text).toISOString()) })], {
  error: 'is no text, number, true, false or {"time": "..."}',
})

const condition = z.strictObject({ attribute: z.string(), operator: z.enum(OPERATORS), values: z.array(scalar) })

/** One rule; an effect that is not written is allow. */
export const ruleJson = z.strictObject({
  effect: z.enum(['allow', 'deny']).default('allow'),
  resources: z.array(z.string()),
  actions: z.array(z.string()),
  conditions: z.array(condition).default([]),
}) satisfies z.ZodType<Rule>
