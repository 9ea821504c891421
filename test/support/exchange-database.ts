import type { Kysely } from 'kysely'
import { createLog } from '#libs/log.js'
import { connectDatabase } from '#libs/postgres/database.js'
import type { ExchangeSchema } from '../../services/auth-exchange/store/schema.js'
import type { System } from './system.js'

/** The exchange's database of a system, as auth-exchange connects to it, for what no call reaches. */
export const exchangeDatabase = ({ databases: { exchangeUrl: url } }: System, poolSize = 4): Kysely<ExchangeSchema> =>
  connectDatabase<ExchangeSchema>({ url, schema: 'exchange', log: createLog({ service: 'test', level: 'silent' }), poolSize, prepare: true })
