import { describe } from 'vitest'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { bindTo, makeProject } from '../support/builders.js'
import { auditLogSuite } from '../support/audit-log-suite.js'

describe('ListAuditEvents of identity-registry', () => {
  auditLogSuite({
    list: (by, request) => by.registry(Registry.listAuditEvents, request),
    act: async (admin, name) => {
      const { id: identityId } = await admin.registry(Registry.createIdentity, { name, role: '' })
      const targetId = await bindTo(admin, identityId, await makeProject(admin, name), 'viewer')
      return { identityId, action: 'CreateBinding', targetType: 'binding', targetId, ofIdentity: ['CreateIdentity'] }
    },
  })
})
