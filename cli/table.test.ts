import { expect, it } from 'vitest'
import { record, table } from './table.js'

it('aligns columns and leaves no blanks at the end of a line', () => {
  const lines = table(['NAME', 'STATE', 'CREATED'], [['web', 'active', new Date('2026-01-02T03:04:05Z')], ['a longer name', undefined, undefined]])
  expect(lines).toEqual([
    'NAME           STATE   CREATED',
    'web            active  2026-01-02T03:04:05Z',
    'a longer name  -       -',
  ])
})

it('prints one thing as a field a line', () => {
  expect(record([['id', '1'], ['built in', false], ['description', '']])).toEqual(['id           1', 'built in     false', 'description  -'])
})

// What a server sends cannot drive the reader's terminal: seen to fail without printable().
it('takes control characters out of what it prints', () => {
  expect(table(['A'], [['x\u001b[31mred\n\u009b2Jy']])).toEqual(['A', 'x [31mred 2Jy'])
})
