import type { Shell } from '../command.js'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { DatabaseReport } from './database.js'
import { failure, type Finding, notLookedAt, ok } from './finding.js'

const DAY_MILLIS = 86_400_000
const CHECK = 'signing keys'

/** Those that the database holds against those that auth-exchange publishes. */
export async function signingKeysFinding({ connections }: Shell, { keys, time }: DatabaseReport): Promise<Finding> {
  const published = await connections.call('exchange', exchange.getJsonWebKeySet, {}).then(({ keys: found }) => found.map(({ kid }) => kid), () => undefined)
  if (keys === undefined || time === undefined) {
    if (published === undefined) return notLookedAt(CHECK, { seen: 'neither the database nor auth-exchange shows them', advice: 'see the lines of these two' })
    return published.length > 0 ? ok(CHECK, `${published.length} published; which is active, and its age, is in the database (MIGRATE_DATABASE_URL)`) : failure(CHECK, NONE_PUBLISHED)
  }
  const active = keys.find(({ state }) => state === 'active')
  if (!active) return failure(CHECK, { seen: 'none is active: nobody can log in', advice: 'restart auth-exchange, which makes one where there is none' })
  if (published !== undefined && !published.includes(active.kid)) return failure(CHECK, { seen: `the active one, ${active.kid}, is not among those that auth-exchange publishes`, advice: 'restart auth-exchange; see that its DATABASE_URL leads to this database' })
  const ages = keys.map(({ kid, state, createTime }) => `${kid.slice(0, 8)}… ${state}, ${Math.max(0, Math.floor((time.getTime() - createTime.getTime()) / DAY_MILLIS))} days old`)
  return ok(CHECK, ages.join('; '))
}

const NONE_PUBLISHED = { seen: 'auth-exchange publishes none', advice: 'restart auth-exchange: tokens can be neither made nor verified' }
