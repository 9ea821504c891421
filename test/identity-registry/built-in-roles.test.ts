import { afterAll, beforeAll, expect, it } from 'vitest'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { makeProject, UNKNOWN_ID } from '../support/builders.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { projectNotFound } from './expected.js'

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

it('GetRole refuses a role that every project has where the organization has no such project', async () => {
  const foreign = await system.session(await system.newOrganization())
  const projectId = await makeProject(admin, 'shop')
  const [role] = (await admin.registry(Registry.listRoles, { projectId, pageSize: 0, pageToken: '' })).roles
  const id = role?.id ?? ''
  expect(await admin.registry(Registry.getRole, { id, projectId })).toMatchObject({ builtIn: true })
  for (const scope of [UNKNOWN_ID, await makeProject(foreign, 'theirs')]) {
    await expect(admin.registry(Registry.getRole, { id, projectId: scope })).rejects.toMatchObject(projectNotFound)
  }
})
