import { sql } from 'kysely'
import type { AuditEvent } from '#libs/postgres/audit.js'
import type { NamedToken } from '../domain/access-token.js'
import type { Db } from './schema.js'

/** Everything that is written where a token is issued without a client secret: by a login, or by an operator. */
export type MethodLogin = {
  readonly token: NamedToken
  readonly event: AuditEvent
  /** Of the method whose configuration a proof was verified under: another one has to verify it again. */
  readonly etag?: string
}

/**
 * Writes the token's record and the audit event, by one statement, which is one transaction: durable when this returns true.
 * False where the method was removed or changed, or it, the identity or the organization was voided since it was read: then
 * nothing was written. Whatever does so right behind it finds a token that rests on what is not there any more.
 */
export async function recordMethodLogin(db: Db, { token, event, etag }: MethodLogin): Promise<boolean> {
  const { organizationId, id, identityId, method, credentialId } = token
  const { rows } = await sql<{ written: string }>`
    with token as (
      insert into exchange.access_token (organization_id, id, identity_id, method, credential_id, credential_epoch,
                                         method_epoch, identity_epoch, organization_epoch, issue_time, ttl_seconds, expire_time, max_expire_time,
                                         period_seconds, use_limit, name, auth_claims)
      select a.organization_id, ${id}::uuid, a.identity_id, a.method, a.id, ${token.credentialEpoch}::uuid,
             a.epoch, ${token.identityEpoch}::uuid, ${token.organizationEpoch}::uuid, ${token.issueTime}::timestamptz, ${token.ttlSeconds}::integer, ${token.expireTime}::timestamptz,
             ${token.maxExpireTime}::timestamptz, ${token.periodSeconds}::integer, ${token.useLimit}::integer, ${token.name}::text, ${token.authClaims ? JSON.stringify(token.authClaims) : null}::jsonb
      from exchange.auth_method a
      where a.organization_id = ${organizationId} and a.identity_id = ${identityId} and a.method = ${method}
        and a.id = ${credentialId} and a.epoch = ${token.methodEpoch} and a.etag = coalesce(${etag ?? null}::uuid, a.etag)
        and (select e.epoch from exchange.identity_epoch e where e.organization_id = a.organization_id and e.identity_id = a.identity_id)
          is not distinct from ${token.identityEpoch}::uuid
        and (select e.epoch from exchange.organization_epoch e where e.organization_id = a.organization_id) is not distinct from ${token.organizationEpoch}::uuid
      returning id
    ), audited as (
      insert into exchange.audit_event (organization_id, id, action, actor_identity_id, actor_token_id, target_type, target_id, details, request_id)
      select ${event.organizationId}::uuid, ${event.id}::uuid, ${event.action}::text, ${event.actorIdentityId}::uuid, ${event.actorTokenId}::uuid,
             ${event.targetType}::text, ${event.targetId}::uuid, ${JSON.stringify(event.details)}::jsonb, ${event.requestId}::text
      from token
    )
    select count(*) as written from token
  `.execute(db)
  return rows[0]?.written === '1'
}
