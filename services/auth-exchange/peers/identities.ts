import type { RpcClient } from '#libs/rpc/client.js'
import { IdentityState } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import { RegistryInternalServiceService } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import type { IdentityReader } from '../ports.js'

/** Asks identity-registry, each time. */
export function remoteIdentities(registry: RpcClient): IdentityReader {
  return {
    isActive: async ({ organizationId, identityId }, outgoing) => {
      const { state } = await registry.unary(RegistryInternalServiceService.describeIdentity, { organizationId, identityId }, outgoing)
      return state === IdentityState.ACTIVE
    },
  }
}
