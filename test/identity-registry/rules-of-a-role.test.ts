import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toRuleMessage } from '#libs/rpc/rule-message.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import type { Rule } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { parseRules } from '../../cli/rules.js'
import { allow, deny, freshNames } from '../support/builders.js'
import { type Session, startSystem, type System } from '../support/system.js'

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

const next = freshNames('role')
const create = (rules: Rule[]) => admin.registry(Registry.createRole, { projectId: '', name: next(), description: '', rules })
const get = (id: string) => admin.registry(Registry.getRole, { id, projectId: '' })

const CONDITIONS = [
  { attribute: 'a', operator: 'eq', values: ['{{identity.name}}'] },
  { attribute: 'b', operator: 'ne', values: [2.5] },
  { attribute: 'c', operator: 'in', values: [true, false] },
  { attribute: 'd', operator: 'not_in', values: [{ time: '2026-01-31T00:00:00.000Z' }, { time: '2026-02-01T00:00:00.001Z' }] },
  { attribute: 'e', operator: 'glob', values: ['/{a,b}/**'] },
  { attribute: 'f', operator: 'not_glob', values: ['/home/{{identity.metadata.team}}/*'] },
  { attribute: 'context.ip', operator: 'cidr', values: ['10.0.0.0/8', '2001:db8::/32', '192.168.0.1'] },
  { attribute: 'h', operator: 'exists', values: [false] },
]

describe('the rules of a role come', () => {
  it('with values of every type and every operator as they were given', async () => {
    const written = parseRules(JSON.stringify([{ effect: 'deny', resources: ['files'], actions: ['read'], conditions: CONDITIONS }]), 'the test').map(toRuleMessage)
    const role = await create(written)
    expect(role.rules).toEqual(written)
    expect((await get(role.id)).rules).toEqual(written)
    const updated = await admin.registry(Registry.updateRole, { id: role.id, projectId: '', description: '', rules: written, etag: '' })
    expect(updated.rules).toEqual(written)
  })

  it('and warns of rules that never do anything, when they are written and not when they are read', async () => {
    const hidden = [allow(['read'], ['secrets'], { attribute: 'path', eq: '/a/b' }), deny(['*'], ['secrets'], { attribute: 'path', glob: '/a/**' })]
    const role = await create(hidden)
    const warnings = [{ ruleIndex: 0, message: 'never allows anything: rules[1] denies all of it' }]
    expect(role.warnings).toEqual(warnings)
    expect((await get(role.id)).warnings).toEqual([])
    expect(await admin.registry(Registry.updateRole, { id: role.id, projectId: '', description: '', rules: hidden, etag: '' })).toMatchObject({ warnings })
  })
})
