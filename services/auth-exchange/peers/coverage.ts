import { escalation } from '#libs/escalation.js'
import { missingRuleFrom } from '#libs/rpc/missing-rule-message.js'
import type { RpcClient } from '#libs/rpc/client.js'
import { RegistryInternalServiceService } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import type { Coverage } from '../ports.js'

/** Asks identity-registry, which knows what identities hold. */
export function remoteCoverage(registry: RpcClient): Coverage {
  return {
    require: async ({ organizationId, identityId: callerIdentityId }, { identityId, resource }, outgoing) => {
      if (callerIdentityId === identityId) return
      const request = { organizationId, callerIdentityId, identityId, resource }
      const { missingRules, missingCount } = await registry.unary(RegistryInternalServiceService.checkCoverage, request, outgoing)
      if (missingCount > 0) throw escalation(missingRules.flatMap(missingRuleFrom), missingCount)
    },
  }
}
