import { describe, expect, it } from 'vitest'
import { CEILING_SECONDS } from './access-token.js'
import { dueSteps, type SigningKey } from './signing-key.js'

const [MINUTE, DAY] = [60_000, 86_400_000]
const schedule = { lifeMillis: 90 * DAY, leadMillis: 60 * MINUTE }
const at = (millis: number): Date => new Date(Date.UTC(2026, 0, 1) + millis)

const active: SigningKey = { kid: 'active', state: 'active', createTime: at(0), activateTime: at(0), retireTime: null }
const preparedFor = (millis: number): SigningKey => ({ kid: 'next', state: 'prepared', createTime: at(0), activateTime: at(millis), retireTime: null })
const retiredAt = (millis: number): SigningKey => ({ kid: 'old', state: 'retired', createTime: at(-DAY), activateTime: at(-DAY), retireTime: at(millis) })

describe('the next step', () => {
  it.each<[string, readonly SigningKey[], number, ReturnType<typeof dueSteps>]>([
    ['none, while the key is young', [active], 90 * DAY - 60 * MINUTE - 1, []],
    ['to prepare, the lead before the end', [active], 90 * DAY - 60 * MINUTE, [{ kind: 'prepare', activateTime: at(90 * DAY) }]],
    ['to prepare with the whole lead, however late it is', [active], 95 * DAY, [{ kind: 'prepare', activateTime: at(95 * DAY + 60 * MINUTE) }]],
    ['none, while the prepared key is not known to everybody', [active, preparedFor(MINUTE)], MINUTE - 1, []],
    ['to activate what is prepared, when it is time', [active, preparedFor(MINUTE)], MINUTE, [{ kind: 'activate', kid: 'next' }]],
    ['to activate what is prepared, before its time, where nothing signs', [preparedFor(MINUTE)], 0, [{ kind: 'activate', kid: 'next' }]],
    ['to make one that signs, where there is none', [], 0, [{ kind: 'replace', activateTime: at(0) }]],
    ['none for a retired key whose tokens may be good', [{ ...active, activateTime: at(50 * DAY) }, retiredAt(0)], CEILING_SECONDS * 1000, []],
    ['to remove a retired key that has verified its last token', [{ ...active, activateTime: at(50 * DAY) }, retiredAt(-DAY)], CEILING_SECONDS * 1000, [{ kind: 'remove', kid: 'old' }]],
  ])('is %s', (_what, keys, now, steps) => {
    expect(dueSteps(keys, at(now), schedule)).toEqual(steps)
  })

  it('is never to prepare by itself where keys are to sign for ever', () => {
    expect(dueSteps([active], at(3_000 * DAY), { ...schedule, lifeMillis: 0 })).toEqual([])
  })

  it('counts the age of a key that an earlier version made from when it was made', () => {
    expect(dueSteps([{ ...active, activateTime: null }], at(90 * DAY), schedule)).toMatchObject([{ kind: 'prepare' }])
  })
})
