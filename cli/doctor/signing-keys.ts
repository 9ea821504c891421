import { z } from 'zod'
import type { Shell } from '../command.js'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { DatabaseReport } from './database.js'
import { namedKeys, readConfig } from '#libs/env.js'
import { failure, type Finding, notLookedAt, ok, warning } from './finding.js'

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
  if (!active) return failure(CHECK, { seen: 'none is active: nobody can log in', advice: 'auth-exchange makes one within a minute where there is none: see whether it runs, and what its log says of keeping signing keys' })
  if (published !== undefined && !published.includes(active.kid)) return failure(CHECK, { seen: `the active one, ${active.kid}, is not among those that auth-exchange publishes`, advice: 'restart auth-exchange; see that its DATABASE_URL leads to this database' })
  const ages = keys.map(({ kid, state, createTime, keyEncryptionKeyId }) => {
    const days = Math.max(0, Math.floor((time.getTime() - createTime.getTime()) / DAY_MILLIS))
    return `${kid.slice(0, 8)}… ${state}, ${days} days old${state === 'retired' ? '' : `, encrypted under ${keyEncryptionKeyId}`}`
  })
  return ok(CHECK, ages.join('; '))
}

const settings = z.object({ PEPPERS: namedKeys('makes new digests').optional() })

/** Whether an earlier pepper is still needed: digests are made anew when their secrets log in. */
export function peppersFinding({ environment }: Shell, { peppers }: DatabaseReport): Finding {
  const check = 'peppers'
  if (peppers === undefined) return notLookedAt(check, { seen: 'this role may not see the tables of auth-exchange', advice: 'set MIGRATE_DATABASE_URL, of the role that migrates' })
  const seen = peppers.length === 0 ? 'no client secret yet' : peppers.map(({ pepperId, secrets }) => `${secrets} client secrets under ${pepperId}`).join(', ')
  const known = readConfig(settings, environment).PEPPERS?.map(({ id }) => id)
  const unknown = peppers.filter(({ pepperId }) => known?.includes(pepperId) === false)
  if (unknown.length === 0) return ok(check, seen)
  return warning(check, { seen: `${seen}; PEPPERS names ${known?.join(', ') ?? ''}`, advice: 'each secret under an unknown pepper is verified once by argon2id, slowly; put that pepper back behind the first where that is too slow' })
}

const NONE_PUBLISHED = { seen: 'auth-exchange publishes none', advice: 'restart auth-exchange: tokens can be neither made nor verified' }
