import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DecisionReason } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { allow, bindTo, deny, forEver, makeProject, makeWorkload } from '../support/builders.js'
import { HOUR, SECOND } from '../support/manual-clock.js'
import { type Session, startSystem, type System } from '../support/system.js'

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

describe('the four steps', () => {
  it('lets a bound workload do what its role allows, and tells why it may not do more', async () => {
    const workload = await makeWorkload(admin, { name: 'billing' })
    const projectId = await makeProject(admin, 'shop')
    await bindTo(admin, workload.identityId, projectId, 'viewer')

    const { accessToken } = await system.login(workload)

    const read = await system.check(accessToken, 'read', 'secrets', { projectId })
    expect(read).toMatchObject({ allowed: true, reason: DecisionReason.ALLOWED_BY_RULE, rule: { role: 'viewer', ruleIndex: 0 }, identityId: workload.identityId, identityName: 'billing' })
    const remove = await system.check(accessToken, 'delete', 'secrets', { projectId })
    expect(remove).toMatchObject({ allowed: false, reason: DecisionReason.NO_RULE, rule: undefined })
  })

  it('gives nothing in a project that the workload is not bound to, nor in the organization', async () => {
    const workload = await makeWorkload(admin, { name: 'elsewhere' })
    const bound = await makeProject(admin, 'bound')
    const other = await makeProject(admin, 'other')
    await bindTo(admin, workload.identityId, bound, 'admin')
    const { accessToken } = await system.login(workload)

    expect(await system.check(accessToken, 'read', 'secrets', { projectId: other })).toMatchObject({ allowed: false, reason: DecisionReason.NO_RULE })
    expect(await system.check(accessToken, 'read', 'identity')).toMatchObject({ allowed: false, reason: DecisionReason.NO_RULE })
  })

  it('judges by custom roles: conditions narrow what is allowed, and a deny of one role beats the allow of another', async () => {
    const projectId = await makeProject(admin, 'conditions')
    const role = (name: string, ...rules: ReturnType<typeof allow>[]) => admin.registry(Registry.createRole, { projectId, name, description: '', rules })
    await role('readers', allow(['read'], ['secrets'], { attribute: 'path', glob: '/billing/**' }, { attribute: 'environment', in: ['staging', 'production'] }))
    await role('no-roots', deny(['*'], ['secrets'], { attribute: 'path', eq: '/billing/root' }))
    const workload = await makeWorkload(admin, { name: 'conditional' })
    await bindTo(admin, workload.identityId, projectId, 'readers', 'no-roots')
    const { accessToken } = await system.login(workload)
    const reads = async (attributes: Record<string, string>) => (await system.check(accessToken, 'read', 'secrets', { projectId, attributes })).reason

    expect(await reads({ path: '/billing/stripe/key', environment: 'production' })).toBe(DecisionReason.ALLOWED_BY_RULE)
    expect(await reads({ path: '/billing/stripe/key', environment: 'development' })).toBe(DecisionReason.NO_RULE)
    expect(await reads({ path: '/shipping/key', environment: 'production' })).toBe(DecisionReason.NO_RULE)
    expect(await reads({ path: '/billing/root', environment: 'production' })).toBe(DecisionReason.DENIED_BY_RULE)
    // Without the attribute an allow does not match, and a deny does.
    expect(await reads({ environment: 'production' })).toBe(DecisionReason.DENIED_BY_RULE)
  })

  it('honours a role inside its window only, both ends tested when access is checked', async () => {
    const projectId = await makeProject(admin, 'windows')
    const workload = await makeWorkload(admin, { name: 'on-call' })
    const now = system.clock.now().getTime()
    const window = { ...forEver('viewer'), startTime: new Date(now + HOUR / 4), endTime: new Date(now + HOUR / 2) }
    await admin.registry(Registry.createBinding, { identityId: workload.identityId, projectId, roles: [window] })
    const { accessToken } = await system.login(workload)
    const mayRead = async () => (await system.check(accessToken, 'read', 'secrets', { projectId })).allowed

    expect(await mayRead()).toBe(false)
    system.clock.advance(HOUR / 4 - SECOND)
    expect(await mayRead()).toBe(false)
    system.clock.advance(SECOND)
    expect(await mayRead()).toBe(true)
    system.clock.advance(HOUR / 4 - SECOND)
    expect(await mayRead()).toBe(true)
    system.clock.advance(SECOND)
    expect(await mayRead()).toBe(false)
  })
})
