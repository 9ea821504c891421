import type { Clock } from '#libs/clock.js'
import type { Ids } from '#libs/ids.js'
import type { InternalAdapter } from '#libs/rpc/service-credential.js'
import { whenAnswered } from '#libs/rpc/unary.js'
import type { RegistryInternalServiceServer } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import type { Db } from '../store/schema.js'
import { bootstrap } from './bootstrap.js'
import { describeIdentity } from './describe-identity.js'
import { resolveGrants } from './resolve-grants.js'

/** What identity-registry answers other services, on a port and a pool of its own. */
export const registryInternalService = (internal: InternalAdapter, outside: { db: Db; ids: Ids; clock: Clock }): RegistryInternalServiceServer => ({
  resolveGrants: internal(resolveGrants(outside), whenAnswered),
  describeIdentity: internal(describeIdentity(outside), whenAnswered),
  bootstrap: internal(bootstrap(outside)),
})
