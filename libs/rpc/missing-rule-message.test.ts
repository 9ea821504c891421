import { describe, expect, it } from 'vitest'
import type { MissingRule } from '../rules/missing-rule.js'
import { firstMissing, missingRuleFrom, toMissingRuleMessage } from './missing-rule-message.js'

const missing = (role: string, words = 1): MissingRule => ({
  projectId: undefined,
  role,
  rule: { effect: 'allow', resources: Array.from({ length: words }, (_, at) => `a-resource-with-a-long-name-${at}`), actions: ['read'], conditions: [] },
  startTime: new Date(0),
  endTime: null,
  obstacle: 'denied',
})

describe('a missing rule', () => {
  it('arrives as it was sent', () => expect(missingRuleFrom(toMissingRuleMessage(missing('reader')))).toEqual([missing('reader')]))
})

describe('missing rules', () => {
  it('are sent as far as they fit, and one that is too large keeps none of the others out', () => {
    const sent = firstMissing([missing('large', 50), ...Array.from({ length: 100 }, (_, at) => missing(`small-${at}`))], 1_000)
    expect(sent.length).toBeGreaterThan(8)
    expect(sent.map(({ role }) => role)).not.toContain('large')
    expect(firstMissing([missing('one'), missing('other')], 1_000).map(({ role }) => role)).toEqual(['one', 'other'])
  })
})
