import { describe, expect, it } from 'vitest'
import { escapeGlob } from './glob.js'
import { isTemplate, render, type Subject, templateOf, templateProblem } from './template.js'

const ann: Subject = { id: '01', name: 'ann*', metadata: new Map([['team.name', 'red'], ['empty', '']]), auth: new Map([['sub', 'repo:{a}']]) }

describe('a template', () => {
  it.each([
    ['plain', 'plain'],
    ['', ''],
    ['{{identity.id}}', '01'],
    ['{{ identity.name }}/x', 'ann*/x'],
    ['a{{identity.id}}b{{identity.id}}c', 'a01b01c'],
    ['{{identity.metadata.team.name}}', 'red'],
    ['<{{identity.metadata.empty}}>', '<>'],
    ['{{identity.auth.sub}}', 'repo:{a}'],
    ['{{identity.metadata.unknown}}', undefined],
    ['{{identity.auth.unknown}} {{identity.id}}', undefined],
    // What an object has beside its keys is nothing of the identity.
    ['{{identity.metadata.constructor}}', undefined],
  ])('%s is %s', (text, expected) => expect(render(templateOf(text), ann)).toBe(expected))

  it('inserts what it is told to write in place of a value, and nothing in place of the rest', () => {
    expect(render(templateOf('/*/{{identity.name}}/{{identity.auth.sub}}'), ann, escapeGlob)).toBe('/*/ann\\*/repo:\\{a\\}')
  })

  it.each([['plain', false], ['{a,b}', false], ['\\{\\{identity.id\\}\\}', false], ['{{identity.id}}', true]])('%s: %s', (text, is) => expect(isTemplate(text)).toBe(is))

  it.each([
    ['{{identity}}', 1],
    ['ab{{identity.secret}}', 3],
    ['{{identity.id}}{{other.id}}', 16],
    ['{{identity.metadata.}}', 1],
    ['{{identity.metadata.a/b}}', 1],
    ['{{identity.id}} {{', 17],
    ['{{identity.id', 1],
    ['{{}}', 1],
  ])('%s is none, at character %i', (text, column) => expect(templateProblem(text)).toMatchObject({ column }))

  it.each(['', 'plain', '{a,b}', '}}', '{{identity.id}}', '{{ identity.metadata.A-b_c.1 }}'])('%s is in order', (text) => expect(templateProblem(text)).toBeUndefined())
})
