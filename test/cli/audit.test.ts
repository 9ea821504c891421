import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AuditEvent } from '#libs/wire/gen/countersign/audit/v1/audit_event.js'
import { addIdentity } from './fake-world.js'
import { newOperator, type Operator } from './operator.js'

let operator: Operator
let ids: string[]
beforeEach(async () => {
  operator = await newOperator()
  addIdentity(world(), 'web')
  ids = Array.from({ length: 4 }, () => world().ids.next())
  add('registry', 0, { action: 'CreateIdentity', targetType: 'identity', targetId: webId() })
  add('exchange', 1, { action: 'AttachUniversalAuth', targetType: 'auth-method', targetId: webId(), details: { clientId: 'client', accessTokenTrustedIps: ['::/0'] } })
  add('registry', 2, { action: 'CreateBinding', targetType: 'binding', targetId: 'b' })
  add('exchange', 3, { action: 'LoginFailed', actorIdentityId: '', targetType: 'auth-method', targetId: webId(), details: { reason: 'wrong', count: 7 } })
})
afterEach(() => operator.leave())

const world = () => operator.services.world
const webId = () => world().identities[1]?.id ?? ''

function add(service: 'registry' | 'exchange', place: number, event: Partial<AuditEvent>): void {
  const createTime = new Date(Date.UTC(2026, 0, 2, 3, 4, place))
  world().audit[service].unshift(AuditEvent.fromPartial({ id: ids[place] ?? '', createTime, actorIdentityId: world().admin.identityId, requestId: 'request', ...event }))
}

describe('audit list', () => {
  it('shows what both services wrote down in one order, newest first', async () => {
    const { code, stdout } = await operator.run('audit list')
    const lines = stdout.split('\n')
    expect(code).toBe(0)
    expect(lines[0]).toMatch(/^TIME +ACTION +BY +TARGET +ID +DETAILS$/)
    expect(lines[1]).toMatch(/^2026-01-02T03:04:03Z +LoginFailed +- +auth-method +\S+ +reason=wrong count=7$/)
    expect(lines[3]).toMatch(/^2026-01-02T03:04:01Z +AttachUniversalAuth +admin +auth-method +\S+ +clientId=client$/)
    expect((await operator.run('audit list -q')).stdout).toBe(ids.toReversed().map((id) => `${id}\n`).join(''))
  })

  it.each([
    ['--service exchange', [3, 1]],
    ['--identity web', [3, 1, 0]],
    ['--action CreateBinding', [2]],
    ['--since 2026-01-02T03:04:02Z', [3, 2]],
    ['--limit 3', [3, 2, 1]],
  ])('shows with %s only those', async (options, places) => {
    expect((await operator.run(`audit list ${options} -q`)).stdout).toBe(places.map((place) => `${ids[place]}\n`).join(''))
  })

  it('names the service of each in JSON, with all that there is', async () => {
    expect(await operator.json('audit list --limit 3')).toMatchObject([
      { service: 'exchange', action: 'LoginFailed', details: { reason: 'wrong', count: 7 } },
      { service: 'registry', action: 'CreateBinding' },
      { service: 'exchange', details: { accessTokenTrustedIps: ['::/0'] } },
    ])
  })

  it('says that there is nothing', async () => expect((await operator.run('audit list --action Bootstrap')).stdout).toBe('No events.\n'))

  it.each(['--service check', '--since yesterday', '--limit 0'])('is wrong usage with %s', async (options) => {
    expect(await operator.run(`audit list ${options}`)).toMatchObject({ code: 2 })
  })
})
