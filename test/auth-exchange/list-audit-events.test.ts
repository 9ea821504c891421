import { describe } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { makeWorkload } from '../support/builders.js'
import { auditLogSuite } from '../support/audit-log-suite.js'

describe('ListAuditEvents of auth-exchange', () => {
  auditLogSuite({
    list: (by, request) => by.exchange(Exchange.listAuditEvents, request),
    act: async (admin, name) => {
      const { identityId, secretId: targetId } = await makeWorkload(admin, { name })
      return { identityId, action: 'CreateClientSecret', targetType: 'client-secret', targetId, ofIdentity: ['AttachUniversalAuth'] }
    },
  })
})
