import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { id as idField, integer, text } from '#libs/fields.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { CreateClientSecretRequest, CreateClientSecretResponse } from '#libs/wire/gen/countersign/exchange/v1/client_secret.js'
import { UNUSED } from '../domain/client-secret.js'
import { assertWithin, trustedIpsOver } from '../domain/trusted-ip.js'
import { wrapTtlFrom } from '../domain/wrapping.js'
import type { Coverage, IdentityReader, SecretHasher, Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { getUniversalAuth } from '../store/universal-auth.js'
import { toClientSecretMessage } from './client-secret-message.js'
import { assertActive, auditedOf, madeSecret, storeSecret } from './made-secret.js'

type Outside = Writing & { readonly identities: IdentityReader; readonly coverage: Coverage; readonly hasher: SecretHasher }

export function createClientSecret(outside: Outside): Unary<CreateClientSecretRequest, CreateClientSecretResponse> {
  const { db, authorization, identities, coverage, hasher, feed, ids, clock } = outside
  return async (request, call) => {
    const { identityId, description, ttlSeconds, useLimit, trustedIps, wrapTtlSeconds } = wantedOf(request)
    const about = { resource: 'client-secret', attributes: { 'identity.id': identityId } }
    const caller = await authorization.require(call, { action: 'create', ...about })
    const owner = { organizationId: caller.organizationId, identityId }
    const { clientId, clientSecretTrustedIps } = await getUniversalAuth(db, owner)
    const wider = new Violations()
    assertWithin(trustedIps ?? [], clientSecretTrustedIps, (path) => wider.at(`trusted_ips.${path}`))
    wider.refuse()
    await assertActive(identities, owner, call)
    await coverage.require(caller, { identityId, resource: about.resource }, call)
    const createTime = clock.now()
    const expireTime = ttlSeconds === 0 ? null : new Date(createTime.getTime() + ttlSeconds * 1000)
    const limits = { useLimit: useLimit === 0 ? null : useLimit, expireTime, trustedIps }
    const secret = { ...owner, id: ids.next(), description, ...UNUSED, ...limits, epoch: ids.next(), createTime }
    const made = await madeSecret(secret, { hasher, wrapTtlSeconds })
    const { revision } = await feed.commit(call.deadline, async (tx, changed) => {
      await storeSecret(tx, made)
      changed(caller.organizationId, changedInExchange.CreateClientSecret(secret.id))
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: 'client-secret', id: secret.id, details: auditedOf(made) }))
    })
    return { clientSecret: { ...toClientSecretMessage(secret), revision }, clientId, ...made.shown }
  }
}

function wantedOf(request: CreateClientSecretRequest) {
  const wrong = new Violations()
  const wanted = {
    identityId: idField(request.identityId, wrong.at('identity_id')),
    description: text(request.description, 200, wrong.at('description')),
    ttlSeconds: integer(request.ttlSeconds, { min: 0, max: 315_360_000 }, wrong.at('ttl_seconds')),
    useLimit: integer(request.useLimit, { min: 0, max: 1_000_000_000 }, wrong.at('use_limit')),
    trustedIps: trustedIpsOver(request.trustedIps, null, (path) => wrong.at(`trusted_ips.${path}`)),
    wrapTtlSeconds: wrapTtlFrom(request.wrapTtlSeconds, wrong.at('wrap_ttl_seconds')),
  }
  wrong.refuse()
  return wanted
}
