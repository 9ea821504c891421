import type { Clock } from '#libs/clock.js'
import { keepPartitions } from '#libs/postgres/partitions.js'
import { CEILING_SECONDS } from '../domain/access-token.js'
import type { Db } from '../store/schema.js'

export const KEEP_PARTITIONS_EVERY_MILLIS = 3_600_000

/** A token lineage can live as long as the server's ceiling; a day more, for the day that it began in. */
const TOKEN_DAYS = CEILING_SECONDS / 86_400 + 1

/** Keeps daily partitions ahead of time, and drops those in which nothing is alive or to be kept. */
export function keepExchangePartitions(db: Db, clock: Clock, auditDays: number): () => Promise<void> {
  return async () => {
    await keepPartitions(db, { schema: 'exchange', table: 'access_token', keepDays: TOKEN_DAYS }, clock.now())
    await keepPartitions(db, { schema: 'exchange', table: 'audit_event', keepDays: auditDays }, clock.now())
  }
}
