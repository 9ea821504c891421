import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ActiveLockout } from '#libs/wire/gen/countersign/exchange/v1/lockout.js'
import { addIdentity, NOW } from './fake-world.js'
import { newOperator, type Operator } from './operator.js'

let operator: Operator
beforeEach(async () => {
  operator = await newOperator()
  addIdentity(world(), 'web')
  const [, web] = world().identities
  world().lockouts.push(ActiveLockout.fromPartial({ identityId: web?.id ?? '', clientId: 'client', source: '192.0.2.1', endTime: NOW }))
})
afterEach(() => operator.leave())

const world = () => operator.services.world

describe('lockout list', () => {
  it('shows sources and until when, and what to type next', async () => {
    const { code, stdout } = await operator.run('lockout list web')
    expect([code, stdout]).toEqual([0, 'SOURCE     CLIENT ID  UNTIL\n192.0.2.1  client     2026-01-02T03:04:05Z\n\nnext: npx countersign lockout clear web\n'])
    expect(await operator.json('lockout list web')).toMatchObject([{ source: '192.0.2.1' }])
    expect((await operator.run('lockout list web -q')).stdout).toBe('192.0.2.1\n')
  })

  it('says that there are none', async () => expect((await operator.run('lockout list admin')).stdout).toBe('No lockouts.\n'))
})

describe('lockout clear', () => {
  it('says how many ended', async () => {
    expect((await operator.run('lockout clear web')).stdout).toBe('failed logins of web are counted anew; 1 lockouts ended at the replica that answered\n')
    expect(await operator.json('lockout clear web')).toMatchObject({ clearedCount: 0 })
  })
})
