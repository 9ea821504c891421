import { randomBytes } from 'node:crypto'
import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { id as idField, integer, text } from '#libs/fields.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { CreateClientSecretRequest, CreateClientSecretResponse } from '#libs/wire/gen/countersign/exchange/v1/client_secret.js'
import { secretText, UNUSED } from '../domain/client-secret.js'
import { identityNotActive, identityNotFound } from '../domain/refusals.js'
import type { Coverage, IdentityReader, SecretHasher, Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { insertClientSecret } from '../store/client-secrets.js'
import { getUniversalAuth } from '../store/universal-auth.js'
import { toClientSecretMessage } from './client-secret-message.js'

type Outside = Writing & { readonly identities: IdentityReader; readonly coverage: Coverage; readonly hasher: SecretHasher }

export function createClientSecret(outside: Outside): Unary<CreateClientSecretRequest, CreateClientSecretResponse> {
  const { db, authorization, identities, coverage, hasher, feed, ids, clock } = outside
  return async (request, call) => {
    const wrong = new Violations()
    const identityId = idField(request.identityId, wrong.at('identity_id'))
    const description = text(request.description, 200, wrong.at('description'))
    const ttlSeconds = integer(request.ttlSeconds, { min: 0, max: 315_360_000 }, wrong.at('ttl_seconds'))
    const useLimit = integer(request.useLimit, { min: 0, max: 1_000_000_000 }, wrong.at('use_limit'))
    wrong.refuse()
    const about = { resource: 'client-secret', attributes: { 'identity.id': identityId } }
    const caller = await authorization.require(call, { action: 'create', ...about })
    const owner = { organizationId: caller.organizationId, identityId }
    const { clientId } = await getUniversalAuth(db, owner)
    const state = await identities.stateOf(owner, call)
    if (state === 'absent') throw identityNotFound(identityId)
    if (state === 'disabled') throw identityNotActive(identityId)
    await coverage.require(caller, { identityId, resource: about.resource }, call)
    const createTime = clock.now()
    const id = ids.next()
    const shownOnce = secretText(id, randomBytes(32))
    const verifiers = await hasher.verifiersOf({ ...owner, id }, shownOnce)
    const secret = {
      ...owner,
      id,
      description,
      ...UNUSED,
      useLimit: useLimit === 0 ? null : useLimit,
      expireTime: ttlSeconds === 0 ? null : new Date(createTime.getTime() + ttlSeconds * 1000),
      epoch: ids.next(),
      createTime,
    }
    const { revision } = await feed.commit(call.deadline, async (tx, changed) => {
      await insertClientSecret(tx, secret, verifiers)
      changed(caller.organizationId, changedInExchange.CreateClientSecret(id))
      const details = { identityId, useLimit: secret.useLimit, expireTime: secret.expireTime }
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'client-secret', id, details }))
    })
    return { clientSecret: { ...toClientSecretMessage(secret), revision }, clientId, secret: shownOnce }
  }
}
