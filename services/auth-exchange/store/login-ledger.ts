import { sql } from 'kysely'
import type { AccessTokenRecord } from '../domain/access-token.js'
import type { Db } from './schema.js'

/** Everything that a login writes. */
export type LoginEntry = { readonly token: AccessTokenRecord; readonly auditEventId: string; readonly requestId: string; readonly now: Date }

/**
 * Spends one use of the secret and writes the token's record and the audit event, by one statement, which is one
 * transaction: durable when this returns true. False where the secret is spent, expired or revoked, or was voided since it
 * was verified: then nothing was written. The conditions are part of the statement that counts, so that no number of
 * concurrent logins gets one use too many: whoever waited for the row judges its new version.
 */
export async function recordLogin(db: Db, { token, auditEventId, requestId, now }: LoginEntry): Promise<boolean> {
  const { organizationId, id, identityId, method, credentialId } = token
  const { rows } = await sql<{ spent: string }>`
    with spent as (
      update exchange.client_secret s set uses = s.uses + 1, last_used_time = ${now}
      from exchange.universal_auth m
      where s.organization_id = ${organizationId} and s.id = ${credentialId} and s.epoch = ${token.credentialEpoch}
        and s.revoke_time is null and (s.expire_time is null or s.expire_time > ${now})
        and (s.use_limit is null or s.uses < s.use_limit)
        and m.organization_id = s.organization_id and m.identity_id = s.identity_id and m.epoch = ${token.methodEpoch}
        and (select e.epoch from exchange.identity_epoch e where e.organization_id = s.organization_id and e.identity_id = s.identity_id)
          is not distinct from ${token.identityEpoch}::uuid
        and (select e.epoch from exchange.organization_epoch e where e.organization_id = s.organization_id) is not distinct from ${token.organizationEpoch}::uuid
      returning s.id
    ), token as (
      insert into exchange.access_token (organization_id, id, identity_id, method, credential_id, credential_epoch,
                                         method_epoch, identity_epoch, organization_epoch, issue_time, ttl_seconds, expire_time, max_expire_time,
                                         period_seconds, use_limit)
      select ${organizationId}::uuid, ${id}::uuid, ${identityId}::uuid, ${method}::text, spent.id, ${token.credentialEpoch}::uuid,
             ${token.methodEpoch}::uuid, ${token.identityEpoch}::uuid, ${token.organizationEpoch}::uuid, ${token.issueTime}::timestamptz, ${token.ttlSeconds}::integer, ${token.expireTime}::timestamptz,
             ${token.maxExpireTime}::timestamptz, ${token.periodSeconds}::integer, ${token.useLimit}::integer
      from spent
    ), audited as (
      insert into exchange.audit_event (organization_id, id, action, actor_identity_id, actor_token_id, target_type, target_id, details, request_id)
      select ${organizationId}::uuid, ${auditEventId}::uuid, 'Login', ${identityId}::uuid, ${id}::uuid, 'access-token', ${id}::uuid,
             json_build_object('method', ${method}::text, 'credentialId', spent.id), ${requestId}::text
      from spent
    )
    select count(*) as spent from spent
  `.execute(db)
  return rows[0]?.spent === '1'
}
