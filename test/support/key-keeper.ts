import { changeFeed } from '#libs/freshness/append.js'
import { createIds } from '#libs/ids.js'
import { createLog } from '#libs/log.js'
import { connectDatabase } from '#libs/postgres/database.js'
import { keepExchangePartitions } from '../../services/auth-exchange/jobs/keep-partitions.js'
import { keepSigningKeys } from '../../services/auth-exchange/jobs/keep-signing-keys.js'
import { keyEncryptionKeysFrom } from '../../services/auth-exchange/signing/sealed-key.js'
import { type Keyring, keyring } from '../../services/auth-exchange/signing/keys.js'
import type { ExchangeSchema } from '../../services/auth-exchange/store/schema.js'
import type { System } from './system.js'

export type KeyKeeper = { readonly keys: Keyring; keep(): Promise<void>; keepPartitions(): Promise<void>; close(): Promise<void> }

/** What a replica of auth-exchange does for signing keys, when the test says so. */
export function keyKeeperOf({ databases, secrets, clock }: System, keyEncryptionKey = secrets.keyEncryptionKey): KeyKeeper {
  const log = createLog({ service: 'test', level: 'silent' })
  const db = connectDatabase<ExchangeSchema>({ url: databases.exchangeUrl, schema: 'exchange', log, poolSize: 2, prepare: true })
  const encryptions = keyEncryptionKeysFrom(keyEncryptionKey)
  if (!encryptions) throw new Error('these are no key encryption keys')
  const ids = createIds(clock)
  const feed = changeFeed({ name: 'exchange', db, ids, hint: () => undefined })
  const schedule = { lifeMillis: 90 * 86_400_000, leadMillis: 3_600_000 }
  const keys = keyring({ db, encryptions })
  const { keep } = keepSigningKeys({ feed, keys, schedule, ids, clock, log })
  return { keys, keep, keepPartitions: keepExchangePartitions(db, clock, 400), close: () => db.destroy() }
}
