import { type Kysely, sql } from 'kysely'
import { wallMillis } from '#libs/clock.js'
import { codeOf } from '#libs/postgres/errors.js'
import { plan, withDatabase } from '../../deploy/database/migrations.js'
import type { Place } from '../../deploy/database/place.js'
import { failure, type Finding, firstLineOf, notLookedAt, ok, skewFinding, warning } from './finding.js'

// PostgreSQL: can it be reached, is it one that keeps what it acknowledges, and does it have what this version needs.

/** `unique nulls not distinct` came with 15. */
const LEAST_VERSION = 150_000

type Db = Kysely<unknown>

export type FeedHead = { readonly feed: 'registry' | 'exchange'; readonly epoch: string; readonly seq: number }

export type StoredKey = { readonly kid: string; readonly state: string; readonly createTime: Date; readonly keyEncryptionKeyId: string }

/** How many client secrets that can still log in have a digest under it. */
export type PepperUse = { readonly pepperId: string; readonly secrets: number }

/** What the database told; heads and keys only where its role may see them. */
export type DatabaseReport = { readonly findings: readonly Finding[]; readonly heads: readonly FeedHead[]; readonly keys: readonly StoredKey[] | undefined; readonly peppers: readonly PepperUse[] | undefined; readonly time: Date | undefined }

const NOTHING = { heads: [], keys: undefined, peppers: undefined, time: undefined }

export async function lookAtDatabase(place: Place | undefined, now: () => number = wallMillis): Promise<DatabaseReport> {
  if (place === undefined) {
    const advice = 'set MIGRATE_DATABASE_URL (or _FILE), as for `countersign migrate`; DATABASE_URL of one service shows its part'
    return { ...NOTHING, findings: [notLookedAt('PostgreSQL', { seen: 'its address is not known', advice })] }
  }
  const problem = await withDatabase(place, (db) => sql`select`.execute(db)).then(() => undefined, causeOf)
  if (problem !== undefined) return { ...NOTHING, findings: [failure('PostgreSQL', connectionFlaw(place.url, problem))] }
  return withDatabase(place, (db) => report(db, now))
}

/** What the driver or the server said, below what it is translated to. */
const causeOf = (error: unknown): unknown => (error instanceof Error && error.cause !== undefined ? error.cause : error)

function connectionFlaw(url: string, cause: unknown): { seen: string; advice: string } {
  const host = new URL(url).host
  const seen = `${host}: ${firstLineOf(cause).replace(/^PostgreSQL: /, '')}`
  if (['28P01', '28000'].includes(codeOf(cause))) return { seen, advice: 'correct user or password in the URL; the server\'s pg_hba.conf may refuse them too' }
  if (codeOf(cause) === '3D000') return { seen, advice: 'make the database, or correct its name in the URL' }
  return { seen, advice: `see whether PostgreSQL runs on ${host} and lets this machine in; without it nobody logs in and nothing is changed` }
}

async function report(db: Db, now: () => number): Promise<DatabaseReport> {
  const asked = now()
  const { rows } = await sql<Settings>`
    select current_setting('server_version') as version, current_setting('server_version_num')::int as "versionNumber", clock_timestamp() as time,
      pg_is_in_recovery() as "isStandby", current_setting('transaction_read_only') as "isReadOnly", current_setting('fsync') as fsync,
      current_setting('full_page_writes') as "fullPageWrites", current_setting('synchronous_commit') as "synchronousCommit", current_setting('synchronous_standby_names') as standbys,
      array(select coalesce(r.rolname::text, 'every role') from pg_db_role_setting s left join pg_roles r on r.oid = s.setrole
            where 'synchronous_commit=off' = any(s.setconfig) and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))) as "careless",
      (select count(*)::int from pg_stat_replication where sync_state in ('sync', 'quorum')) as "synchronous",
      pg_has_role(current_user, 'pg_read_all_stats', 'usage') as "seesStandbys"
  `.execute(db)
  const [settings] = rows
  if (!settings) throw new Error('a statement that always has a row had none')
  const skew = skewFinding('clock, database', 'the database', { asked, theirs: settings.time.getTime(), answered: now() })
  const found = [versionFinding(settings), ...primaryFindings(settings), ...durabilityFindings(settings), skew, await migrationsFinding(db)]
  return { findings: found, heads: await feedHeads(db), keys: await signingKeys(db), peppers: await pepperUse(db), time: settings.time }
}

type Settings = {
  version: string
  versionNumber: number
  time: Date
  isStandby: boolean
  isReadOnly: string
  fsync: string
  fullPageWrites: string
  synchronousCommit: string
  standbys: string
  careless: string[]
  synchronous: number
  seesStandbys: boolean
}

function versionFinding({ version, versionNumber }: Settings): Finding {
  const check = 'PostgreSQL'
  if (versionNumber >= LEAST_VERSION) return ok(check, `answers, version ${version}`)
  return failure(check, { seen: `version ${version} is too old`, advice: 'use 15 or later: the migrations do not run on an earlier one' })
}

function primaryFindings({ isStandby, isReadOnly }: Settings): Finding[] {
  if (isStandby) return [failure('primary', { seen: 'this server is a standby', advice: 'let the URL lead to the primary (several hosts: target_session_attrs=read-write)' })]
  if (isReadOnly === 'on') return [failure('primary', { seen: 'transactions are read-only', advice: 'switch default_transaction_read_only off, of the server, the database or the role' })]
  return [ok('primary', 'not in recovery, takes writes')]
}

function durabilityFindings(settings: Settings): Finding[] {
  const { fsync, fullPageWrites, synchronousCommit, careless } = settings
  return [
    fsync === 'on' ? ok('fsync', 'on') : failure('fsync', { seen: 'off: a crash loses acknowledged revocations and gives uses back', advice: 'set fsync = on and restart PostgreSQL; a database that crashed without it is restored from a backup' }),
    fullPageWrites === 'on' ? ok('full_page_writes', 'on') : failure('full_page_writes', { seen: 'off: a crash can tear pages', advice: 'set full_page_writes = on and reload PostgreSQL' }),
    commitFinding(synchronousCommit, careless),
    standbyFinding(settings),
  ]
}

function commitFinding(synchronousCommit: string, careless: readonly string[]): Finding {
  const check = 'synchronous_commit'
  const advice = 'set it to on, for the server and for the roles that the services connect as (`alter role … reset synchronous_commit`)'
  if (synchronousCommit === 'off') return failure(check, { seen: 'off: a crash loses the last logins and uses that were answered', advice })
  return careless.length === 0 ? ok(check, synchronousCommit) : failure(check, { seen: `off for ${careless.join(', ')}`, advice })
}

function standbyFinding({ standbys, synchronousCommit, synchronous, seesStandbys }: Settings): Finding {
  const check = 'synchronous standby'
  if (standbys === '') return warning(check, { seen: 'none is named: the loss of this server can take acknowledged revocations with it', advice: 'for more than one machine name one in synchronous_standby_names; receipts say DURABILITY_LOCAL until then' })
  if (synchronousCommit === 'local') return warning(check, { seen: `${standbys} is named and not waited for (synchronous_commit is local)`, advice: 'set synchronous_commit to on' })
  if (!seesStandbys) return notLookedAt(check, { seen: `${standbys} is named; whether it is connected is hidden from this role`, advice: 'grant pg_read_all_stats to the role in MIGRATE_DATABASE_URL' })
  return synchronous > 0 ? ok(check, `${synchronous} of ${standbys} connected`) : failure(check, { seen: `${standbys} is named and none is connected: every commit waits`, advice: 'bring the standby back, or name those that are there' })
}

async function migrationsFinding(db: Db): Promise<Finding> {
  const check = 'migrations'
  const found = await plan(db).catch(unlessHidden)
  if (found === undefined) return notLookedAt(check, { seen: 'this role may not see the schemas of both services', advice: 'set MIGRATE_DATABASE_URL, of the role that migrates' })
  const pending = found.flatMap(({ schema, pending: names }) => names.map((name) => `${schema} ${name}`))
  const last = found.map(({ schema, applied, unknown }) => `${schema} at ${unknown.at(-1) ?? applied.at(-1) ?? 'nothing'}`).join(', ')
  return pending.length === 0 ? ok(check, `up to date: ${last}`) : failure(check, { seen: `pending: ${pending.join(', ')}`, advice: '`countersign migrate up`; until then services of this version are not ready' })
}

/** Where each feed stands; of a schema that is not there, or hidden, nothing. */
async function feedHeads(db: Db): Promise<FeedHead[]> {
  const heads: FeedHead[] = []
  for (const feed of ['registry', 'exchange'] as const) {
    const query = sql<{ epoch: string; seq: string }>`select seq, ${sql.id(feed, 'feed_epoch')}() as epoch from ${sql.id(feed, 'feed_head')}`
    const found = await query.execute(db).catch(unlessHidden)
    heads.push(...(found?.rows ?? []).map(({ epoch, seq }) => ({ feed, epoch, seq: Number(seq) })))
  }
  return heads
}

async function signingKeys(db: Db): Promise<StoredKey[] | undefined> {
  const found = await sql<StoredKey>`select kid, state, create_time as "createTime", key_encryption_key_id as "keyEncryptionKeyId" from exchange.signing_key order by create_time`.execute(db).catch(unlessHidden)
  return found?.rows
}

async function pepperUse(db: Db): Promise<PepperUse[] | undefined> {
  const found = await sql<PepperUse>`
    select pepper_id as "pepperId", count(*)::int as secrets from exchange.client_secret
    where revoke_time is null and (expire_time is null or expire_time > clock_timestamp()) and (use_limit is null or uses < use_limit)
    group by pepper_id order by pepper_id
  `.execute(db).catch(unlessHidden)
  return found?.rows
}

// No right to see it, no such table, schema or function, a standby that answers no epoch.
const HIDDEN = new Set(['42501', '42P01', '3F000', '42883', '25006'])

function unlessHidden(error: unknown): undefined {
  if (!HIDDEN.has(codeOf(causeOf(error)))) throw error
}
