import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FEEDS } from './entities.js'
import { type Revision, revisionFrom, revisionText } from './revision.js'

const hex = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => value.toString(16).padStart(16, '0'))
const position = fc.record({ feed: fc.constantFrom(...FEEDS), shard: fc.nat(9999), epoch: hex, seq: fc.nat(999_999_999_999_999) })

function read(text: string): { revision: Revision; problems: string[] } {
  const problems: string[] = []
  return { revision: revisionFrom(text, (problem) => void problems.push(problem)), problems }
}

describe('a revision', () => {
  it('is given back as it was given', () => {
    fc.assert(
      fc.property(fc.array(position, { minLength: 1, maxLength: 64 }), (revision) => {
        expect(read(revisionText(revision))).toEqual({ revision, problems: [] })
      }),
    )
  })

  it('is a set: several are merged by a comma between them', () => {
    const [one, two] = ['registry.0.3f6c2f9a1b0e4d57.42', 'exchange.0.0000000000000000.0']
    expect(read(`${one},${two}`).revision).toEqual([...read(one).revision, ...read(two).revision])
  })
})

describe('no revision', () => {
  const good = 'registry.0.3f6c2f9a1b0e4d57.42'

  it.each([
    '',
    ',',
    `${good},`,
    `,${good}`,
    `${good} `,
    `${good}\n`,
    'registry',
    'registry.0.3f6c2f9a1b0e4d57',
    'registry.0.3f6c2f9a1b0e4d57.',
    'registry.0.3f6c2f9a1b0e4d57.-1',
    'registry.0.3f6c2f9a1b0e4d57.1e3',
    'registry.0.3f6c2f9a1b0e4d57.4.2',
    'registry.0.3F6C2F9A1B0E4D57.42',
    'registry.0.3f6c2f9a1b0e4d5.42',
    'registry.-1.3f6c2f9a1b0e4d57.42',
    'other.0.3f6c2f9a1b0e4d57.42',
    'Registry.0.3f6c2f9a1b0e4d57.42',
    // More than a number can say exactly.
    'registry.0.3f6c2f9a1b0e4d57.9007199254740993',
  ])('is %j', (text) => {
    expect(read(text).problems).toHaveLength(1)
  })

  it('is a list of more positions than there can be', () => {
    expect(read(Array.from({ length: 64 }, () => good).join(',')).problems).toEqual([])
    expect(read(Array.from({ length: 65 }, () => good).join(',')).problems).toHaveLength(1)
  })
})
