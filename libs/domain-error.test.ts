import { describe, expect, it } from 'vitest'
import { DomainError, invalidRequest, Violations } from './domain-error.js'

describe('violations', () => {
  it('let a request pass that nothing was said against', () => {
    const wrong = new Violations()
    wrong.at('name')
    expect(() => wrong.refuse()).not.toThrow()
  })

  it('refuse a request once, with everything that is wrong with it, in the order in which it was found', () => {
    const wrong = new Violations()
    const report = wrong.at('roles[1].end_time')
    wrong.at('name')('must be set')
    report('must be later than start_time')
    report('must be a time between the years 1970 and 9999')
    const expected = {
      kind: 'INVALID_ARGUMENT',
      reason: 'INVALID_REQUEST',
      message:
        'The request is not valid: name must be set; roles[1].end_time must be later than start_time; ' +
        'roles[1].end_time must be a time between the years 1970 and 9999.',
      violations: [
        { field: 'name', description: 'must be set' },
        { field: 'roles[1].end_time', description: 'must be later than start_time' },
        { field: 'roles[1].end_time', description: 'must be a time between the years 1970 and 9999' },
      ],
    }
    expect(() => wrong.refuse()).toThrow(expect.objectContaining(expected))
  })

  it('are those of one request: others know nothing of them', () => {
    new Violations().at('name')('must be set')
    expect(() => new Violations().refuse()).not.toThrow()
  })
})

describe('a refusal', () => {
  it('has no violations, no metadata and nothing to wait for, unless it says so', () => {
    const refusal = new DomainError('NOT_FOUND', 'NO_SUCH_THING', 'There is no such thing.')
    expect(refusal).toMatchObject({ violations: [], metadata: {}, retryAfterMillis: undefined })
    expect(refusal).not.toHaveProperty('cause')
  })

  it('is an error with a stack, and keeps its cause for the log', () => {
    const cause = new Error('connection reset')
    const refusal = new DomainError('UNAVAILABLE', 'GONE', 'It is gone.', { cause })
    expect(refusal).toBeInstanceOf(Error)
    expect(refusal.stack).toContain('domain-error.test.ts')
    expect(refusal.cause).toBe(cause)
  })

  it('over fields names each of them', () => {
    expect(invalidRequest([{ field: 'name', description: 'must be set' }])).toMatchObject({ message: 'The request is not valid: name must be set.' })
  })
})
