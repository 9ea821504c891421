import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { configSchema as exchange } from '../../services/auth-exchange/config.js'
import { configSchema as check } from '../../services/authorization-check/config.js'
import { configSchema as registry } from '../../services/identity-registry/config.js'

// docs/configuration.md has a row for each variable that a service reads, and none for what no service reads.

const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8')

const rows = page.split('\n').filter((line) => line.startsWith('| `')).map((line) => line.split('|').map((cell) => cell.trim()))
const documented = rows.flatMap(([, variables = '']) => [...variables.matchAll(/`([A-Z_]+)`/g)].map(([, name = '']) => name))

const SCHEMAS = { registry, exchange, check }
const known = new Set(Object.values(SCHEMAS).flatMap(({ shape }) => Object.keys(shape)))

describe('docs/configuration.md', () => {
  it.each(Object.entries(SCHEMAS))('names every variable of %s', (_name, { shape }) => {
    expect(Object.keys(shape).filter((name) => !documented.includes(name))).toEqual([])
  })

  it('names nothing else, and nothing twice', () => {
    expect(documented.filter((name) => !known.has(name))).toEqual([])
    expect(documented.length).toBe(new Set(documented).size)
  })

  it('says of each which services read it', () => {
    const said = rows.map(([, variables = '', services = '']) => [[...variables.matchAll(/`([A-Z_]+)`/g)].map(([, name = '']) => name), services] as const)
    const readers = (names: readonly string[]) => Object.entries(SCHEMAS).filter(([, { shape }]) => names.some((name) => name in shape)).map(([name]) => name)
    const wrong = said.filter(([names, services]) => {
      if (services === 'each its own') return false
      const listed = services === 'all' ? Object.keys(SCHEMAS) : services.replace('authorization-check', 'check').split(', ')
      return readers(names).join() !== listed.join()
    })
    expect(wrong).toEqual([])
  })
})
