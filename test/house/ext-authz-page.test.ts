import { describe, expect, it } from 'vitest'
import { compileRoute } from '../../services/authorization-check/domain/route.js'
import { parseTemplate } from '../../services/authorization-check/domain/route-template.js'
import { read } from './documents.js'

// docs/ext-authz.md names what there is, and all of it.

const { text } = read('docs/ext-authz.md')
const errors = read('docs/errors.md').text

const part = (title: string): string => text.split(/^## /m).find((one) => one.startsWith(title)) ?? ''
const firstCells = (title: string): string[] => [...part(title).matchAll(/^\| (`.+?) \|/gm)].map(([, cell = '']) => cell)
const namesIn = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)

const ID = '01900000-0000-7000-8000-000000000000'
const values = new Map([['project', ID], ['organization', ID], ['consistency', 'full'], ['forward-authorization', 'false']])
const REQUIRED = { action: 'get', resource: 'orders' }

describe('docs/ext-authz.md', () => {
  it('names every key that a route can say, and none that it can not', () => {
    const keys = firstCells('What a route says').flatMap(namesIn)
    expect(keys).toEqual(['action', 'resource', 'project', 'attribute.NAME', 'context.NAME', 'organization', 'consistency', 'forward-authorization'])
    const said = keys.map((key): [string, string] => [key.replace('NAME', 'name'), values.get(key) ?? 'get'])
    expect(compileRoute(new Map(said)).problem).toBeUndefined()
    for (const key of ['action', 'resource']) expect(compileRoute(new Map(Object.entries(REQUIRED).filter(([one]) => one !== key))).problem).toBe(`${key} must be set`)
  })

  it('names the variables that a template can have', () => {
    const variables = firstCells('Templates').flatMap(namesIn)
    expect(variables).toHaveLength(8)
    for (const variable of variables) expect([variable, parseTemplate(variable.replace('NAME', 'name')).problem]).toEqual([variable, undefined])
  })

  it('names reasons that there are, or decisions', () => {
    const reasons = [...text.matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g)].map(([name]) => name)
    const others = ['NO_RULE', 'DENIED_BY_RULE', 'SOURCE_NOT_TRUSTED', 'PERMISSION_DENIED', 'ACCESS_TOKEN', 'CHECK_PORT', 'CHECK_SOCKET', 'REJECT_REQUEST']
    expect(reasons.filter((reason) => !others.includes(reason) && !errors.includes(`| ${reason} |`))).toEqual([])
    expect(reasons.length).toBeGreaterThan(10)
  })
})
