import { sql } from 'kysely'
import { feedEpoch, feedSeq } from '#libs/freshness/append.js'
import type { Stamp } from '#libs/freshness/stamp.js'
import { sharedCommits } from '#libs/postgres/shared-commits.js'
import type { AccessTokenRecord } from '../domain/access-token.js'
import type { Remembered } from '../domain/client-secret.js'
import { UNIVERSAL_AUTH } from '../domain/universal-auth.js'
import type { Db } from './schema.js'
import { signingKid } from './signing-keys.js'

/** Everything that a login writes. */
export type LoginEntry = {
  readonly token: AccessTokenRecord
  readonly auditEventId: string
  readonly requestId: string
  /** From where, as far as it is known. */
  readonly sourceAddress: string | null
  readonly now: Date
  /** Where the secret was verified by what an earlier login read: tested too. */
  readonly remembered?: Remembered | undefined
}

export type LoginLedger = {
  /**
   * Durable when this answers, with where the feed stood. Null where the secret is spent, expired or revoked, or was voided
   * since it was verified, or what was remembered is not so any more: then nothing was written.
   */
  record(entry: LoginEntry, deadlineMillis: number): Promise<Stamp | null>
}

export function loginLedger(db: Db): LoginLedger {
  const shared = () => sharedCommits((entries: readonly LoginEntry[]) => recordLogins(db, entries))
  const [byWhatWasRead, byWhatIsRemembered] = [shared(), shared()]
  return { record: (entry, deadlineMillis) => (entry.remembered ? byWhatIsRemembered : byWhatWasRead)(entry, deadlineMillis) }
}

/**
 * Spends one use of the secret for each login and writes the tokens' records and the audit events, by one statement, which is
 * one transaction. The conditions are part of the statement that counts, so that no number of concurrent logins gets one use
 * too many: whoever waited for a secret's row judges its new version. An UPDATE changes a row once, however many logins join
 * it, so the logins of one secret count together, and as many of them succeed as there are uses left. For the same reason all
 * are by what was read, or all by what is remembered: then of those that verified other things at most one group passes. Rows
 * are locked in one order, so that two batches never wait for each other.
 */
export async function recordLogins(db: Db, entries: readonly LoginEntry[]): Promise<(Stamp | null)[]> {
  const { groups, tokens } = bySecret(entries)
  const now = new Date(Math.max(...entries.map((entry) => entry.now.getTime())))
  const { rows } = await sql<{ places: number[] | null; feedEpoch: string; feedSeq: string }>`
    with wanted as (
      select * from json_to_recordset(${JSON.stringify(groups)}::json) as g("group" integer, logins integer, "organizationId" uuid, "credentialId" uuid, "credentialEpoch" uuid, "methodEpoch" uuid, "identityEpoch" uuid, "organizationEpoch" uuid, "methodEtag" uuid, "signingKid" text, "sourceAddress" text)
    ), secret as (
      select w.*, s.identity_id, least(w.logins, coalesce(s.use_limit - s.uses, w.logins)) as granted
      from exchange.client_secret s
      join wanted w on s.organization_id = w."organizationId" and s.id = w."credentialId" and s.epoch = w."credentialEpoch"
      join exchange.universal_auth m on m.organization_id = s.organization_id and m.identity_id = s.identity_id and m.epoch = w."methodEpoch"
      where s.revoke_time is null and (s.expire_time is null or s.expire_time > ${now})
        and (select e.epoch from exchange.identity_epoch e where e.organization_id = s.organization_id and e.identity_id = s.identity_id)
          is not distinct from w."identityEpoch"
        and (select e.epoch from exchange.organization_epoch e where e.organization_id = s.organization_id) is not distinct from w."organizationEpoch"
        and (w."methodEtag" is null or (m.etag = w."methodEtag" and w."signingKid" is not distinct from ${signingKid}))
      order by s.organization_id, s.id
      for update of s
    ), spent as (
      update exchange.client_secret s set uses = s.uses + secret.granted, last_used_time = ${now}, last_used_address = secret."sourceAddress"
      from secret
      where s.organization_id = secret."organizationId" and s.id = secret."credentialId" and secret.granted > 0
      returning secret.*
    ), accepted as (
      select t.*, g."organizationId", g.identity_id, g."credentialId", g."credentialEpoch", g."methodEpoch", g."identityEpoch", g."organizationEpoch"
      from json_to_recordset(${JSON.stringify(tokens)}::json) as t(place integer, "group" integer, turn integer, id uuid, "issueTime" timestamptz, "ttlSeconds" integer,
        "expireTime" timestamptz, "maxExpireTime" timestamptz, "periodSeconds" integer, "useLimit" integer, "auditEventId" uuid, "requestId" text, "sourceAddress" text)
      join spent g on g."group" = t."group" and t.turn <= g.granted
    ), token as (
      insert into exchange.access_token (organization_id, id, identity_id, method, credential_id, credential_epoch, method_epoch, identity_epoch,
                                         organization_epoch, issue_time, ttl_seconds, expire_time, max_expire_time, period_seconds, use_limit)
      select "organizationId", id, identity_id, ${UNIVERSAL_AUTH}, "credentialId", "credentialEpoch", "methodEpoch", "identityEpoch",
             "organizationEpoch", "issueTime", "ttlSeconds", "expireTime", "maxExpireTime", "periodSeconds", "useLimit"
      from accepted
    ), audited as (
      insert into exchange.audit_event (organization_id, id, action, actor_identity_id, actor_token_id, target_type, target_id, details, request_id)
      select "organizationId", "auditEventId", 'Login', identity_id, id, 'access-token', id,
             json_strip_nulls(json_build_object('method', ${UNIVERSAL_AUTH}::text, 'credentialId', "credentialId", 'sourceAddress', "sourceAddress")), "requestId"
      from accepted
    )
    select (select array_agg(place) from accepted) as places, (select ${feedEpoch('exchange')}) as feed_epoch, ${feedSeq('exchange')} as feed_seq
  `.execute(db)
  const [row] = rows
  if (!row) throw new Error('a statement that always has a row had none')
  const stamp = { epoch: row.feedEpoch, seq: Number(row.feedSeq) }
  const accepted = new Set(row.places)
  return entries.map((_entry, place) => (accepted.has(place) ? stamp : null))
}

type Group = Pick<AccessTokenRecord, 'organizationId' | 'credentialId' | 'credentialEpoch' | 'methodEpoch' | 'identityEpoch' | 'organizationEpoch'> & {
  readonly group: number
  readonly sourceAddress: string | null
  readonly methodEtag: string | undefined
  readonly signingKid: string | null | undefined
  logins: number
}

/** The logins of each secret, those that verified the same epochs together; within them each has its turn. */
function bySecret(entries: readonly LoginEntry[]) {
  const groups = new Map<string, Group>()
  const tokens = entries.map(({ token, auditEventId, requestId, sourceAddress, remembered }, place) => {
    const { organizationId, credentialId, credentialEpoch, methodEpoch, identityEpoch, organizationEpoch } = token
    const { methodEtag, signingKid } = remembered ?? {}
    const key = `${organizationId} ${credentialId} ${credentialEpoch} ${methodEpoch} ${identityEpoch} ${organizationEpoch} ${methodEtag} ${signingKid}`
    let group = groups.get(key)
    if (!group) {
      const epochs = { credentialEpoch, methodEpoch, identityEpoch, organizationEpoch }
      group = { group: groups.size, organizationId, credentialId, ...epochs, methodEtag, signingKid, sourceAddress, logins: 0 }
      groups.set(key, group)
    }
    group.logins += 1
    const { id, issueTime, ttlSeconds, expireTime, maxExpireTime, periodSeconds, useLimit } = token
    return { place, group: group.group, turn: group.logins, id, issueTime, ttlSeconds, expireTime, maxExpireTime, periodSeconds, useLimit, auditEventId, requestId, sourceAddress }
  })
  return { groups: [...groups.values()], tokens }
}
