import type { Clock } from '#libs/clock.js'
import { keepPartitions } from '#libs/postgres/partitions.js'
import type { Db } from '../store/schema.js'

export const KEEP_PARTITIONS_EVERY_MILLIS = 3_600_000

/** Keeps daily partitions of the audit ahead of time, and drops those past the retention. */
export function keepAuditPartitions(db: Db, clock: Clock, keepDays: number): () => Promise<void> {
  return () => keepPartitions(db, { schema: 'registry', table: 'audit_event', keepDays }, clock.now())
}
