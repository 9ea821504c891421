import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createLog } from './log.js'

function logged(write: (log: ReturnType<typeof createLog>) => void): Record<string, unknown> {
  const lines: string[] = []
  write(createLog({ service: 'test', level: 'info', destination: { write: (line) => void lines.push(line) } }))
  return z.record(z.string(), z.unknown()).parse(JSON.parse(lines.join('')))
}

const NAMES = ['authorization', 'accessToken', 'clientSecret', 'wrappingToken', 'secret', 'token', 'password', 'credential']

describe('a line in the log', () => {
  it.each(NAMES)('never shows what is called %s, in its fields, in an object in one, or in an error', (name) => {
    const error = Object.assign(new Error('it failed'), { [name]: 'hush' })
    const line = logged((log) => log.info({ [name]: 'hush', inner: { [name]: 'hush', id: 1 }, err: error, id: 2 }, 'what happened'))
    expect(line).toMatchObject({ [name]: '[secret]', inner: { [name]: '[secret]', id: 1 }, err: { message: 'it failed', [name]: '[secret]' }, id: 2 })
    expect(JSON.stringify(line)).not.toContain('hush')
  })

  it('says of an error what it is and where, and nothing of the rows that PostgreSQL quotes', () => {
    const error = Object.assign(new Error('a constraint is violated'), { code: '23505', detail: 'Key (digest)=(hush) exists', where: 'hush' })
    const { err } = logged((log) => log.error({ err: error }, 'unexpected error'))
    expect(err).toMatchObject({ type: 'Error', message: 'a constraint is violated', code: '23505', stack: expect.stringContaining('log.test') })
    expect(JSON.stringify(err)).not.toContain('hush')
  })

  it('leaves what is not secret as it is, and the fields of its caller too', () => {
    const fields = { token: 'hush', list: [1, 'two'], nothing: null }
    expect(logged((log) => log.info(fields))).toMatchObject({ level: 'info', 'service.name': 'test', list: [1, 'two'], nothing: null })
    expect(fields.token).toBe('hush')
  })
})
