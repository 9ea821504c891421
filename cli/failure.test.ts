import { describe, expect, it } from 'vitest'
import { escalation } from '#libs/escalation.js'
import type { MissingRule } from '#libs/rules/missing-rule.js'
import { explain, failureLines } from './failure.js'

const missing = (projectId: string | undefined, obstacle: MissingRule['obstacle']): MissingRule => ({
  projectId,
  role: 'reader',
  rule: { effect: 'allow', actions: ['read'], resources: ['secrets'], conditions: [] },
  startTime: null,
  endTime: null,
  obstacle,
})

describe('a refused gift', () => {
  it('is told rule by rule, with role, place and why', () => {
    const { exitCode, description } = explain(escalation([missing('shop', 'not-held'), missing(undefined, 'denied'), missing(undefined, 'not-for-so-long')]))
    expect(exitCode).toBe(1)
    expect(failureLines(description)).toEqual([
      'This would give what you do not hold (ESCALATION):',
      '  allow read on secrets, of role reader in project shop (no single rule of yours allows all of it)',
      '  allow read on secrets, of role reader in the organization (a rule of yours denies some of it)',
      '  allow read on secrets, of role reader in the organization (yours is not for so long)',
    ])
  })

  it('says how many there are beyond those that were told', () => {
    const { description } = explain(escalation([missing('shop', 'not-held'), missing('shop', 'not-held')]))
    expect(failureLines({ ...description, missingRules: [missing('shop', 'not-held')] }).at(-1)).toBe('  and 1 more')
  })
})
