import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { address, ConfigError, isLoopback, logLevel, onOff, port, postgresUrl, readConfig, whole } from './env.js'

const schema = z.object({
  DATABASE_URL: postgresUrl,
  PORT: port(50_051),
  POOL_SIZE: whole(10, 1, 200),
  PEER: address,
  MODE: onOff('on'),
  LOG_LEVEL: logLevel,
})
const URL = 'postgres://me:hunter2@localhost/registry'
const valid = { DATABASE_URL: URL, PEER: 'localhost:50052' }

let folder = ''
const file = (name: string) => join(folder, name)

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-env-'))
  writeFileSync(file('url'), `${URL}\n`)
  writeFileSync(file('windows-url'), `${URL}\r\n`)
  writeFileSync(file('two-lines'), `${URL}\n\n`)
  writeFileSync(file('wrong'), 'mysql://me:hunter2@localhost/registry\n')
})
afterAll(() => rmSync(folder, { recursive: true }))

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(schema, environment)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('a configuration', () => {
  it('is what the variables say, and the defaults where they say nothing', () => {
    expect(readConfig(schema, { ...valid, PORT: '0', HOME: '/root' })).toEqual({ ...valid, PORT: 0, POOL_SIZE: 10, MODE: 'on', LOG_LEVEL: 'info' })
  })

  it('names everything that is wrong at once, by variable', () => {
    const problems = problemsOf({
      PORT: '65536',
      POOL_SIZE: '201',
      PEER: 'localhost',
      MODE: 'yes',
      LOG_LEVEL: 'loud',
      DATABASE_URL_FILE: file('none'),
    })
    expect(problems).toEqual([
      "DATABASE_URL: the file that DATABASE_URL_FILE names can't be read",
      'PORT: must be a port from 0 to 65535',
      'POOL_SIZE: must be a whole number from 1 to 200',
      'PEER: must be host:port or unix:PATH',
      'MODE: must be on or off',
      expect.stringMatching(/^LOG_LEVEL: /),
    ])
  })

  it('says of what is missing under which two names it is looked for', () => {
    expect(problemsOf({})).toEqual(['DATABASE_URL: is missing (DATABASE_URL or DATABASE_URL_FILE)', 'PEER: is missing (PEER or PEER_FILE)'])
  })

  it('is refused with one message, a line for each problem', () => {
    expect(() => readConfig(schema, {})).toThrow(/^The configuration is not valid:\n {2}DATABASE_URL: .*\n {2}PEER: .*$/)
  })

  // A message about the environment ends in logs and terminals. Each value here is wrong, and is a secret.
  it('never shows a value, not in part', () => {
    const secret = 'hunter2-is-my-secret'
    const all = Object.fromEntries(Object.keys(schema.shape).map((name) => [name, secret]))
    const problems = [...problemsOf(all), ...problemsOf({ ...valid, DATABASE_URL_FILE: file('wrong') }), ...problemsOf({ PEER_FILE: `/${secret}` })]
    expect(problems.length).toBeGreaterThan(Object.keys(all).length)
    expect(problems.join('\n')).not.toMatch(/hunter|secret/)
  })
})

describe('a variable given as a file', () => {
  it.each(['url', 'windows-url'])('is what the file says, without the line break at its end (%s)', (name) => {
    expect(readConfig(schema, { PEER: valid.PEER, DATABASE_URL_FILE: file(name) }).DATABASE_URL).toBe(URL)
  })

  it('loses one line break only', () => {
    expect(readConfig(schema, { PEER: valid.PEER, DATABASE_URL_FILE: file('two-lines') }).DATABASE_URL).toBe(`${URL}\n`)
  })

  it('is judged as the variable is', () => {
    expect(problemsOf({ PEER: valid.PEER, DATABASE_URL_FILE: file('wrong') })).toEqual([
      'DATABASE_URL: must be postgres://user:password@host:port/database',
    ])
  })

  it.each([['missing', 'none'], ['a directory', '.']])('is one problem where the file is %s', (_what, name) => {
    expect(problemsOf({ PEER: valid.PEER, DATABASE_URL_FILE: file(name) })).toEqual([
      "DATABASE_URL: the file that DATABASE_URL_FILE names can't be read",
    ])
  })

  it('and as itself is one problem, even if both agree or are wrong', () => {
    for (const value of [URL, 'wrong', '']) {
      const both = { PEER: valid.PEER, DATABASE_URL: value, DATABASE_URL_FILE: file('url') }
      expect(problemsOf(both)).toEqual(['DATABASE_URL: set either DATABASE_URL or DATABASE_URL_FILE'])
    }
  })
})

describe('each kind of variable', () => {
  it.each(
    [
      ['port', port(1), ['0', '1', '65535', '00080'], ['', '65536', '-1', '80.0', '1e3', ' 80', '0x50', '999999']],
      ['whole', whole(5, 2, 10), ['2', '10', '007'], ['', '1', '11', '-2', '2.5', 'two', '1e1', '9999999999']],
      [
        'address', address,
        ['localhost:1', '127.0.0.1:50051', '[::1]:50051', 'dns:///host:443', 'unix:/run/a'],
        ['', 'localhost', ':1', 'host:', 'unix:', 'host:123456'],
      ],
      ['postgresUrl', postgresUrl, ['postgres://a', 'postgresql://a'], ['', 'postgres:/a', 'mysql://a', ' postgres://a']],
      ['onOff', onOff('on'), ['on', 'off'], ['', 'ON', 'true', '1']],
    ] as const,
  )('%s takes what it should and nothing else', (_name, kind, right, wrong) => {
    for (const value of right) expect([value, kind.safeParse(value).success]).toEqual([value, true])
    for (const value of wrong) expect([value, kind.safeParse(value).success]).toEqual([value, false])
  })

  it('a loopback address is one that no other machine can reach', () => {
    expect(['127.0.0.1', '::1', 'localhost'].map(isLoopback)).toEqual([true, true, true])
    expect(['0.0.0.0', '::', '', '127.1', '192.168.0.1', '::ffff:10.0.0.1'].map(isLoopback)).toEqual([false, false, false, false, false, false])
  })
})
