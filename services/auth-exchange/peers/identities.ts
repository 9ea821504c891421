import { dependencies } from '#libs/freshness/entities.js'
import type { Entry } from '#libs/freshness/stamp.js'
import { stampFrom } from '#libs/rpc/change-feed.js'
import type { Outgoing, RpcClient } from '#libs/rpc/client.js'
import { IdentityState as StateMessage } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import { RegistryInternalServiceService } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import type { IdentityKey, IdentityState } from '../ports.js'

const states = new Map<StateMessage, IdentityState>([[StateMessage.ACTIVE, 'active'], [StateMessage.DISABLED, 'disabled']])

/** Asks identity-registry. */
export function remoteIdentities(registry: RpcClient) {
  return async ({ organizationId, identityId }: IdentityKey, outgoing: Outgoing): Promise<Entry<IdentityState>> => {
    const { state, stamp } = await registry.unary(RegistryInternalServiceService.describeIdentity, { organizationId, identityId }, outgoing)
    return { value: states.get(state) ?? 'absent', stamp: stampFrom(stamp), dependencies: dependencies.identity({ organizationId, identityId }) }
  }
}
