import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { CreatePrincipalRequest, CreatePrincipalResponse } from '#libs/wire/gen/countersign/exchange/v1/principal.js'
import { isPrincipalName, PRINCIPAL_NAME_PROBLEM } from '../domain/principal.js'
import { identityNotActive, identityNotFound } from '../domain/refusals.js'
import type { Coverage, IdentityReader, Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { insertPrincipal } from '../store/principals.js'
import { toPrincipalMessage } from './principal-message.js'

type Outside = Writing & { readonly identities: IdentityReader; readonly coverage: Coverage }

export function createPrincipal({ authorization, identities, coverage, feed, ids, clock }: Outside): Unary<CreatePrincipalRequest, CreatePrincipalResponse> {
  return async ({ identityId: givenId, name }, call) => {
    const wrong = new Violations()
    const identityId = idField(givenId, wrong.at('identity_id'))
    if (!isPrincipalName(name)) wrong.at('name')(PRINCIPAL_NAME_PROBLEM)
    wrong.refuse()
    const about = { resource: 'principal', attributes: { 'identity.id': identityId } }
    const caller = await authorization.require(call, { action: 'create', ...about })
    const { organizationId } = caller
    const state = await identities.stateOf({ organizationId, identityId }, call)
    if (state === 'absent') throw identityNotFound(identityId)
    if (state === 'disabled') throw identityNotActive(identityId)
    await coverage.require(caller, { identityId, resource: about.resource }, call)
    const id = ids.next()
    const principal = { organizationId, id, identityId, name, createTime: clock.now() }
    const { revision } = await feed.commit(call.deadline, async (tx, changed) => {
      await insertPrincipal(tx, principal)
      changed(organizationId, changedInExchange.CreatePrincipal(organizationId, name))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'principal', id, details: { identityId, name } }))
    })
    return { principal: toPrincipalMessage(principal), revision }
  }
}
