import { sql } from 'kysely'
import type { AccessTokenRecord } from '../domain/access-token.js'
import type { Db } from './schema.js'
import { hasUsesLeft, restsOnWhatItDid } from './standing.js'

/** Everything that a renewal writes: the token's record as it is to be. */
export type Renewal = { readonly token: AccessTokenRecord; readonly auditEventId: string; readonly requestId: string; readonly now: Date }

/**
 * Writes the new end of a lineage and the audit event, by one statement, which is one transaction. False where the lineage
 * was revoked, spent or has ended, or an epoch is another one since: then nothing was written. The epochs stay those of the
 * login, so that a broad revocation which commits at the same time voids the renewal too. Of two renewals at once the later
 * end counts.
 */
export async function recordRenewal(db: Db, { token, auditEventId, requestId, now }: Renewal): Promise<boolean> {
  const { organizationId, id, identityId, credentialId } = token
  const { rows } = await sql<{ renewed: string }>`
    with renewed as (
      update exchange.access_token t
      set expire_time = greatest(t.expire_time, ${token.expireTime}), ttl_seconds = ${token.ttlSeconds}, renew_time = ${now}
      where t.organization_id = ${organizationId} and t.id = ${id} and t.revoke_time is null and t.expire_time > ${now}
        and ${hasUsesLeft} and ${restsOnWhatItDid}
      returning t.id
    ), audited as (
      insert into exchange.audit_event (organization_id, id, action, actor_identity_id, actor_token_id, target_type, target_id, details, request_id)
      select ${organizationId}::uuid, ${auditEventId}::uuid, 'RenewAccessToken', ${identityId}::uuid, renewed.id, 'access-token', renewed.id,
             json_build_object('credentialId', ${credentialId}::text, 'expireTime', ${token.expireTime.toISOString()}::text), ${requestId}::text
      from renewed
    )
    select count(*) as renewed from renewed
  `.execute(db)
  return rows[0]?.renewed === '1'
}
