import { describe, expect, it } from 'vitest'
import { parseAttributes } from './attributes.js'

const parsed = (...texts: string[]) => parseAttributes('--attribute', texts)
const value = (text: string) => Object.values(parsed(text))[0]?.kind

describe('attributes', () => {
  it.each([
    ['path=/a/b', { $case: 'stringValue', value: '/a/b' }],
    ['a=', { $case: 'stringValue', value: '' }],
    ['a=b=c', { $case: 'stringValue', value: 'b=c' }],
    ['a=5', { $case: 'stringValue', value: '5' }],
    ['a:=5', { $case: 'numberValue', value: 5 }],
    ['a:=true', { $case: 'boolValue', value: true }],
    ['a:="5"', { $case: 'stringValue', value: '5' }],
    ['a:={"ip":"10.0.0.1"}', { $case: 'ipValue', value: '10.0.0.1' }],
    ['a:={"time":"2026-01-31T01:00:00+01:00"}', { $case: 'timeValue', value: new Date('2026-01-31T00:00:00Z') }],
    ['a:=[1,2]', { $case: 'listValue', value: { values: [{ kind: { $case: 'numberValue', value: 1 } }, { kind: { $case: 'numberValue', value: 2 } }] } }],
    ['a:=[]', { $case: 'listValue', value: { values: [] } }],
  ])('%s', (text, kind) => expect(value(text)).toEqual(kind))

  it('go by their names, of which the last counts', () => expect(Object.keys(parsed('a=1', 'b=2', 'a=3'))).toEqual(['a', 'b']))

  it.each(['path', '=x', ''])('%j is none', (text) => expect(() => parsed(text)).toThrow(`--attribute ${text} is not key=value.`))

  it.each(['a:=', 'a:=x', 'a:=null', 'a:={}', 'a:={"ip":1}', 'a:={"time":"today"}', 'a:=[[1]]', 'a:={"ip":"1","time":"2"}'])('%j is no JSON that an attribute can be', (text) => {
    expect(() => parsed(text)).toThrow(`--attribute ${text} is not key:=JSON of a text`)
  })
})
