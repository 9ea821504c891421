import type { Clock } from '#libs/clock.js'
import type { ChangeFeed } from '#libs/freshness/append.js'
import type { Ids } from '#libs/ids.js'
import type { InternalAdapter } from '#libs/rpc/service-credential.js'
import { whenAnswered } from '#libs/rpc/unary.js'
import type { RegistryInternalServiceServer } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import type { Db, RegistrySchema } from '../store/schema.js'
import { bootstrap } from './bootstrap.js'
import { checkCoverage } from './check-coverage.js'
import { describeIdentity } from './describe-identity.js'
import { resolveGrants } from './resolve-grants.js'
import { resolveRole } from './resolve-role.js'

type Outside = {
  readonly db: Db
  /** For what may wait for others' changes, so that no check waits for it. */
  readonly waitingDb: Db
  readonly feed: ChangeFeed<RegistrySchema>
  readonly ids: Ids
  readonly clock: Clock
}

/** What identity-registry answers other services, on a port and a pool of its own. */
export const registryInternalService = (internal: InternalAdapter, outside: Outside): RegistryInternalServiceServer => ({
  resolveGrants: internal(resolveGrants(outside), whenAnswered),
  resolveRole: internal(resolveRole(outside), whenAnswered),
  describeIdentity: internal(describeIdentity(outside), whenAnswered),
  checkCoverage: internal(checkCoverage({ db: outside.waitingDb, clock: outside.clock })),
  bootstrap: internal(bootstrap(outside)),
})
