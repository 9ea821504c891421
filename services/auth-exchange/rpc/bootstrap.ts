import type { Clock } from '#libs/clock.js'
import { DomainError, Violations } from '#libs/domain-error.js'
import { id as idField } from '#libs/fields.js'
import type { ChangeFeed } from '#libs/freshness/append.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import type { Ids } from '#libs/ids.js'
import { type InternalUnary, serviceNotAllowed } from '#libs/rpc/service-credential.js'
import type { BootstrapRequest, BootstrapResponse } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import { secretIdOf, UNUSED } from '../domain/client-secret.js'
import { bootstrapConflict } from '../domain/refusals.js'
import { STANDARD_UNIVERSAL_AUTH } from '../domain/universal-auth.js'
import type { SecretHasher } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { findSecretsOfClients, insertClientSecret } from '../store/client-secrets.js'
import type { ExchangeSchema } from '../store/schema.js'
import { insertClientLocator, insertUniversalAuth } from '../store/universal-auth.js'

type Outside = { readonly feed: ChangeFeed<ExchangeSchema>; readonly hasher: SecretHasher; readonly ids: Ids; readonly clock: Clock }

export function bootstrap({ feed, hasher, ids, clock }: Outside): InternalUnary<BootstrapRequest, BootstrapResponse> {
  return async (request, call, caller) => {
    const wrong = new Violations()
    const organizationId = idField(request.organizationId, wrong.at('organization_id'))
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    const clientId = idField(request.clientId, wrong.at('client_id'))
    const id = secretIdOf(request.clientSecret) ?? ''
    if (id === '') wrong.at('client_secret')('must be the text of a client secret, csk_…')
    wrong.refuse()
    if (!caller.mayAskAbout(organizationId)) throw serviceNotAllowed(call.path)
    const owner = { organizationId, identityId }
    const verifiers = await hasher.verifiersOf({ ...owner, id }, request.clientSecret)
    const now = clock.now()
    const method = { ...owner, clientId, ...STANDARD_UNIVERSAL_AUTH, epoch: ids.next(), createTime: now, updateTime: now, etag: ids.next() }
    const secret = { ...owner, id, description: 'bootstrap', ...UNUSED, epoch: ids.next(), createTime: now }
    await feed.commit(call.deadline, async (tx, changed) => {
      if (!(await insertClientLocator(tx, method))) {
        const [held] = await findSecretsOfClients(tx, [{ clientId, id }])
        if (held?.organizationId !== organizationId || held.identityId !== identityId) throw bootstrapConflict()
        return
      }
      await insertUniversalAuth(tx, method).catch(refuseTaken)
      await insertClientSecret(tx, secret, verifiers)
      changed(organizationId, changedInExchange.Bootstrap(organizationId))
      await insertAuditEvent(tx, {
        organizationId,
        id: ids.next(),
        action: 'Bootstrap',
        actorIdentityId: null,
        actorTokenId: null,
        targetType: 'auth-method',
        targetId: identityId,
        details: { clientId, by: caller.name },
        requestId: call.trace.requestId,
      })
    })
    return {}
  }
}

function refuseTaken(error: unknown): never {
  throw error instanceof DomainError && error.kind === 'ALREADY_EXISTS' ? bootstrapConflict() : error
}
