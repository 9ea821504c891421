import { dependencies } from '#libs/freshness/entities.js'
import type { Entry } from '#libs/freshness/stamp.js'
import { stampFrom } from '#libs/rpc/change-feed.js'
import type { Outgoing, RpcClient } from '#libs/rpc/client.js'
import { IdentityState } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import { RegistryInternalServiceService, ResolveGrantsRequest } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import type { Grants, Holder } from '../domain/grants.js'

const states = new Map<IdentityState, Grants['state']>([[IdentityState.ACTIVE, 'active'], [IdentityState.DISABLED, 'disabled']])

/** Asks identity-registry. */
export function remoteGrants(registry: RpcClient) {
  return async (holder: Holder, outgoing: Outgoing): Promise<Entry<Grants>> => {
    const request = ResolveGrantsRequest.fromPartial({ ...holder, projectId: holder.projectId ?? '' })
    const { state, identityName, grants, stamp } = await registry.unary(RegistryInternalServiceService.resolveGrants, request, outgoing)
    const windows = grants.map(({ roleId, startTime, endTime }) => ({
      roleId,
      startMillis: startTime?.getTime() ?? -Infinity,
      endMillis: endTime?.getTime() ?? Infinity,
    }))
    const value = { state: states.get(state) ?? 'absent', identityName, grants: windows }
    return { value, stamp: stampFrom(stamp), dependencies: dependencies.grants(holder) }
  }
}
