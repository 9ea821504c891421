import { mkdirSync, rmSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newOperator, type Operator } from './operator.js'

let operator: Operator
beforeEach(async () => {
  operator = await newOperator()
})
afterEach(() => operator.leave())

const context = (rest: object = {}) => {
  const { address } = operator.services
  return JSON.stringify({ registry: address, exchange: address, check: address, ...rest })
}
const sourceOf = async (env: Record<string, string> = {}, folder = operator.folder) =>
  Object(await operator.json('whoami', { env, folder })).addresses.source

describe('addresses and credentials', () => {
  it('come from .countersign/ of a parent folder', async () => {
    mkdirSync(operator.path('deep/down'), { recursive: true })
    expect(await sourceOf({}, operator.path('deep/down'))).toBe(operator.path('.countersign'))
  })

  it('come from the context file before that, named or in its usual place', async () => {
    const named = operator.write('context.json', context({ credentialsFile: '.countersign/admin.json' }))
    expect(await sourceOf({ COUNTERSIGN_CONTEXT_FILE: named })).toBe(named)
    mkdirSync(operator.path('.config/countersign'), { recursive: true })
    const usual = operator.write('.config/countersign/context.json', context({ credentialsFile: '../../.countersign/admin.json' }))
    expect(await sourceOf()).toBe(usual)
  })

  it('come from the environment before all', async () => {
    const { address } = operator.services
    operator.write('.countersign/addresses.json', JSON.stringify({ registry: '127.0.0.1:1', exchange: '127.0.0.1:1', check: '127.0.0.1:1' }))
    const env = { COUNTERSIGN_REGISTRY: address, COUNTERSIGN_EXCHANGE: address, COUNTERSIGN_CHECK: address }
    expect(await sourceOf(env)).toContain('COUNTERSIGN_REGISTRY, COUNTERSIGN_EXCHANGE, COUNTERSIGN_CHECK')
  })
})

describe('refuses', () => {
  it('where there is nothing at all, in one line', async () => {
    const { code, stderr } = await operator.run('whoami', { folder: '/' })
    expect(code).toBe(2)
    expect(stderr).toMatch(/^No Countersign found here: start it with `npm start`, or set COUNTERSIGN_.*\n$/)
  })

  it('where Countersign was started once and does not run', async () => {
    rmSync(operator.path('.countersign/addresses.json'))
    const { code, stderr } = await operator.run('whoami')
    expect(code).toBe(3)
    expect(stderr).toMatch(/Countersign is not running\. Start it with `npm start`\. \(NOT_RUNNING\)\n$/)
  })

  it('a context file that is missing, no JSON, or without the address', async () => {
    const at = (name: string) => ({ env: { COUNTERSIGN_CONTEXT_FILE: operator.path(name) } })
    expect(await operator.run('whoami', at('missing.json'))).toMatchObject({ code: 2, stderr: expect.stringContaining('is not there') })
    operator.write('broken.json', '{')
    expect(await operator.run('whoami', at('broken.json'))).toMatchObject({ code: 2, stderr: expect.stringContaining('is not JSON') })
    operator.write('partial.json', JSON.stringify({ credentialsFile: '.countersign/admin.json' }))
    expect(await operator.run('whoami', at('partial.json'))).toMatchObject({ code: 2, stderr: expect.stringContaining('add "exchange"') })
  })

  it('a client secret without its client id', async () => {
    expect(await operator.run('whoami', { env: { COUNTERSIGN_CLIENT_SECRET: 'csk_x' } })).toMatchObject({
      code: 2,
      stderr: 'COUNTERSIGN_CLIENT_SECRET is set without COUNTERSIGN_CLIENT_ID.\n',
    })
  })
})

it('says so where it was not built', () => {
  const launcher = fileURLToPath(new URL('../../cli/countersign.js', import.meta.url))
  const copy = `import { cpSync } from 'node:fs'; cpSync(${JSON.stringify(launcher)}, process.argv[1]); await import(process.argv[1])`
  const target = operator.path('countersign.mjs')
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', copy, target], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 2, stderr: 'countersign is not built yet: run `npm run build` (or `npm start`) first\n' })
})
