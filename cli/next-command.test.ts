import { expect, it } from 'vitest'
import { nextCommand, suggestedFile } from './next-command.js'

it('quotes what a shell would take apart', () => {
  expect(nextCommand('binding', 'create', 'my web', '--role', 'viewer')).toBe(`npx countersign binding create 'my web' --role viewer`)
  expect(nextCommand('x', `it's`)).toBe(`npx countersign x 'it'\\''s'`)
})

it('suggests a plain file name in the current folder', () => {
  expect(suggestedFile('team/my web')).toBe('team-my-web.json')
  expect(suggestedFile('../x')).toBe('x.json')
})
