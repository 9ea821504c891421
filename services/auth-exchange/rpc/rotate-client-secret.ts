import { auditEvent } from '#libs/audit-event.js'
import { Violations } from '#libs/domain-error.js'
import { id as idField, integer } from '#libs/fields.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { RotateClientSecretRequest, RotateClientSecretResponse } from '#libs/wire/gen/countersign/exchange/v1/client_secret.js'
import { type ClientSecret, endOfOverlap, succeeding, unusable } from '../domain/client-secret.js'
import { clientSecretNotLive, clientSecretRotated } from '../domain/refusals.js'
import { wrapTtlFrom } from '../domain/wrapping.js'
import type { Coverage, IdentityReader, SecretHasher, Writing } from '../ports.js'
import { insertAuditEvent } from '../store/audit.js'
import { getClientSecret, lockClientSecret, updateSuccessor } from '../store/client-secrets.js'
import { getUniversalAuth } from '../store/universal-auth.js'
import { toClientSecretMessage } from './client-secret-message.js'
import { assertActive, auditedOf, madeSecret, storeSecret } from './made-secret.js'

const DEFAULT_OVERLAP_SECONDS = 3_600
const MAX_OVERLAP_SECONDS = 2_592_000

type Outside = Writing & { readonly identities: IdentityReader; readonly coverage: Coverage; readonly hasher: SecretHasher }

export function rotateClientSecret(outside: Outside): Unary<RotateClientSecretRequest, RotateClientSecretResponse> {
  const { db, authorization, identities, coverage, hasher, feed, ids, clock } = outside
  return async (request, call) => {
    const { identityId, id, overlapSeconds, wrapTtlSeconds } = wantedOf(request)
    const resource = 'client-secret'
    const attributes = { 'identity.id': identityId }
    const caller = await authorization.require(call, { action: 'create', resource, attributes }, { action: 'revoke', resource, attributes: { ...attributes, id } })
    const owner = { organizationId: caller.organizationId, identityId }
    const now = clock.now()
    // Refused before a successor is hashed, and judged again where nobody else can rotate it.
    const replaced = await getClientSecret(db, { ...owner, id })
    assertRotatable(replaced, now)
    const { clientId } = await getUniversalAuth(db, owner)
    await assertActive(identities, owner, call)
    await coverage.require(caller, { identityId, resource }, call)
    const successor = { ...succeeding(replaced, now), id: ids.next(), epoch: ids.next(), createTime: now }
    const made = await madeSecret(successor, { hasher, wrapTtlSeconds })
    const { result: predecessor, revision } = await feed.commit(call.deadline, async (tx, changed) => {
      const stored = await lockClientSecret(tx, { ...owner, id })
      assertRotatable(stored, now)
      const rotated = { ...stored, successorId: successor.id, expireTime: endOfOverlap(stored, now, overlapSeconds) }
      await storeSecret(tx, made)
      await updateSuccessor(tx, rotated)
      changed(caller.organizationId, changedInExchange.RotateClientSecret(id, successor.id))
      const details = { ...auditedOf(made), successorId: successor.id, overlapSeconds }
      await insertAuditEvent(tx, auditEvent(call, caller, { eventId: ids.next(), type: resource, id, details }))
      return rotated
    })
    return { clientSecret: { ...toClientSecretMessage(successor), revision }, predecessor: { ...toClientSecretMessage(predecessor), revision }, clientId, ...made.shown }
  }
}

function assertRotatable(secret: ClientSecret, now: Date): void {
  if (secret.successorId !== null) throw clientSecretRotated(secret.id, secret.successorId)
  const state = unusable(secret, now)
  if (state !== undefined) throw clientSecretNotLive(secret.id, state)
}

function wantedOf(request: RotateClientSecretRequest) {
  const wrong = new Violations()
  const wanted = {
    identityId: idField(request.identityId, wrong.at('identity_id')),
    id: idField(request.id, wrong.at('id')),
    overlapSeconds: integer(request.overlapSeconds ?? DEFAULT_OVERLAP_SECONDS, { min: 0, max: MAX_OVERLAP_SECONDS }, wrong.at('overlap_seconds')),
    wrapTtlSeconds: wrapTtlFrom(request.wrapTtlSeconds, wrong.at('wrap_ttl_seconds')),
  }
  wrong.refuse()
  return wanted
}
