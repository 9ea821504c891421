import type { Clock } from '#libs/clock.js'
import { Violations } from '#libs/domain-error.js'
import { displayName, id as idField } from '#libs/fields.js'
import type { ChangeFeed } from '#libs/freshness/append.js'
import { changedInRegistry } from '#libs/freshness/entities.js'
import type { Ids } from '#libs/ids.js'
import { type InternalUnary, serviceNotAllowed } from '#libs/rpc/service-credential.js'
import type { BootstrapRequest, BootstrapResponse } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import type { Identity } from '../domain/identity.js'
import { ADMIN, getBuiltInRole } from '../domain/role.js'
import { insertAuditEvent } from '../store/audit.js'
import { insertBinding } from '../store/bindings.js'
import { insertIdentity } from '../store/identities.js'
import { insertOrganization } from '../store/organizations.js'
import type { RegistrySchema } from '../store/schema.js'

type Outside = { readonly feed: ChangeFeed<RegistrySchema>; readonly ids: Ids; readonly clock: Clock }

export function bootstrap({ feed, ids, clock }: Outside): InternalUnary<BootstrapRequest, BootstrapResponse> {
  return async (request, call, caller) => {
    const wrong = new Violations()
    const organizationId = idField(request.organizationId, wrong.at('organization_id'))
    const organizationName = displayName(request.organizationName, wrong.at('organization_name'))
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    const name = displayName(request.identityName, wrong.at('identity_name'))
    wrong.refuse()
    if (!caller.mayAskAbout(organizationId)) throw serviceNotAllowed(call.path)
    const now = clock.now()
    const written = { createTime: now, updateTime: now, etag: ids.next() }
    const identity: Identity = { organizationId, id: identityId, name, state: 'active', ...written }
    const binding = { organizationId, id: ids.next(), identityId, projectId: null, ...written }
    await feed.commit(call.deadline, async (tx, changed) => {
      const isNew = await insertOrganization(tx, { id: organizationId, name: organizationName, ...written })
      if (!isNew) return
      await insertIdentity(tx, identity)
      await insertBinding(tx, binding, [{ roleId: getBuiltInRole('organization', ADMIN).id, startTime: null, endTime: null }])
      changed(organizationId, changedInRegistry.Bootstrap(organizationId))
      await insertAuditEvent(tx, {
        organizationId,
        id: ids.next(),
        action: 'Bootstrap',
        actorIdentityId: null,
        actorTokenId: null,
        targetType: 'organization',
        targetId: organizationId,
        details: { identityId, by: caller.name },
        requestId: call.trace.requestId,
      })
    })
    return {}
  }
}
