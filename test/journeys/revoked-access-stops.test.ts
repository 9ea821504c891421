import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { bindTo, makeProject, makeWorkload, type Workload } from '../support/builders.js'
import { HOUR, SECOND } from '../support/manual-clock.js'
import { type Session, startSystem, type System } from '../support/system.js'

let system: System
let admin: Session
let projectId: string

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  projectId = await makeProject(admin, 'shop')
})
afterAll(() => system.close())

const rejected = { kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' }

async function reader(name: string): Promise<{ workload: Workload; bindingId: string; token: string; tokenId: string }> {
  const workload = await makeWorkload(admin, { name })
  const bindingId = await bindTo(admin, workload.identityId, projectId, 'viewer')
  const { accessToken: token, tokenId } = await system.login(workload)
  expect(await system.check(token, 'read', 'secrets', { projectId })).toMatchObject({ allowed: true })
  return { workload, bindingId, token, tokenId }
}

const checks = (token: string) => system.check(token, 'read', 'secrets', { projectId })

// As they are asked here, in full: within which bound any other check follows is in authorization-check/consistency.test.ts.
describe('from the very next check on', () => {
  it('a token that its holder revoked is refused, and revoking it again is fine', async () => {
    const { token } = await reader('by-holder')
    const revoke = () => system.anonymous.exchange(Exchange.revokeAccessToken, { target: { $case: 'accessToken', value: token } })
    await revoke()
    await expect(checks(token)).rejects.toMatchObject(rejected)
    await revoke()
  })

  it('a token that an operator revoked by its id is refused', async () => {
    const { token, tokenId } = await reader('by-id')
    await admin.exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value: tokenId } })
    await expect(checks(token)).rejects.toMatchObject(rejected)
  })

  it('a role that was taken away is not held any more', async () => {
    const { token, bindingId } = await reader('unbound')
    await admin.registry(Registry.deleteBinding, { id: bindingId, projectId, etag: '' })
    expect(await checks(token)).toMatchObject({ allowed: false })
  })

  it('an edited role is judged by its new rules', async () => {
    const { token, workload } = await reader('edited')
    const role = await admin.registry(Registry.createRole, { projectId, name: 'deny-all', description: '', rules: [] })
    const other = await makeProject(admin, 'edited')
    expect(other).not.toBe(projectId)
    const [binding] = (await admin.registry(Registry.listBindings, { projectId, identityId: workload.identityId, pageSize: 0, pageToken: '' })).bindings
    await admin.registry(Registry.updateBinding, {
      id: binding?.id ?? '',
      projectId,
      roles: ['viewer', 'deny-all'].map((name) => ({ role: name, roleId: '', startTime: undefined, endTime: undefined })),
      etag: binding?.etag ?? '',
    })
    expect(await checks(token)).toMatchObject({ allowed: true })
    const denyAll = [{ effect: 2 as const, resources: ['*'], actions: ['*'], conditions: [] }]
    await admin.registry(Registry.updateRole, { id: role.id, projectId, description: '', rules: denyAll, etag: role.etag })
    expect(await checks(token)).toMatchObject({ allowed: false, rule: { role: 'deny-all', ruleIndex: 0 } })
  })

  it('the tokens of a revoked client secret are refused', async () => {
    const { token, workload } = await reader('secret-revoked')
    await admin.exchange(Exchange.revokeClientSecret, { identityId: workload.identityId, id: workload.secretId })
    await expect(checks(token)).rejects.toMatchObject(rejected)
    await expect(system.login(workload)).rejects.toMatchObject({ kind: 'UNAUTHENTICATED', reason: 'CREDENTIALS_REJECTED' })
  })

  it('the tokens of a disabled identity are refused until it is enabled again', async () => {
    const { token, workload } = await reader('disabled')
    const disabled = await admin.registry(Registry.disableIdentity, { id: workload.identityId })
    await expect(checks(token)).rejects.toMatchObject(rejected)
    await system.everywhere(disabled)
    await expect(system.login(workload)).rejects.toMatchObject({ reason: 'CREDENTIALS_REJECTED' })
    await admin.registry(Registry.enableIdentity, { id: workload.identityId })
    expect(await checks(token)).toMatchObject({ allowed: true })
  })

  it('the tokens and secrets of a deleted identity are refused, also when another takes its name', async () => {
    const { token, workload } = await reader('deleted')
    const deleted = await admin.registry(Registry.deleteIdentity, { id: workload.identityId, etag: '' })
    const { id } = await admin.registry(Registry.createIdentity, { name: 'deleted', role: '' })
    await bindTo(admin, id, projectId, 'viewer')
    await expect(checks(token)).rejects.toMatchObject(rejected)
    await system.everywhere(deleted)
    await expect(system.login(workload)).rejects.toMatchObject({ reason: 'CREDENTIALS_REJECTED' })
  })

  it('a role of a deleted project is not held any more', async () => {
    const { token, workload } = await reader('project-deleted')
    const doomed = await makeProject(admin, 'doomed')
    await bindTo(admin, workload.identityId, doomed, 'admin')
    expect(await system.check(token, 'read', 'secrets', { projectId: doomed })).toMatchObject({ allowed: true })
    await admin.registry(Registry.deleteProject, { id: doomed, etag: '' })
    expect(await system.check(token, 'read', 'secrets', { projectId: doomed })).toMatchObject({ allowed: false })
  })
})

describe('an expired token', () => {
  it('is UNAUTHENTICATED from the second that it names on, with no job having to run', async () => {
    const { token } = await reader('expired')
    system.clock.advance(HOUR - SECOND)
    expect(await checks(token)).toMatchObject({ allowed: true })
    system.clock.advance(SECOND)
    await expect(checks(token)).rejects.toMatchObject(rejected)
  })
})
