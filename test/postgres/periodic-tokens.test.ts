import { afterAll, beforeAll, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { anotherExchange } from '../auth-exchange/another-exchange.js'
import type { Workload } from '../support/builders.js'
import { HOUR } from '../support/manual-clock.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { workloadWith } from '../support/token-settings.js'

// A periodic lineage may be renewed without end, and old days are dropped.

let system: System
let admin: Session
/** Made before the clock moves, which identity-registry keeps no days for. */
let toRevoke: Workload

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  toRevoke = await workloadWith(admin, 'revoked', { accessTokenPeriodSeconds: 90 * 86_400 })
})
afterAll(() => system.close())

const DAY = 24 * HOUR
const rejected = { kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' }
const renew = (accessToken: string) => system.anonymous.exchange(Exchange.renewAccessToken, { accessToken })

/** As every replica does when it starts, and once in an hour from then on. */
async function keepPartitions(): Promise<void> {
  await (await anotherExchange(system)).close()
}

async function later(days: number): Promise<void> {
  system.clock.advance(days * DAY)
  await keepPartitions()
}

async function daysOfTokens(): Promise<string[]> {
  const text = "select right(relname, 8) as day from pg_class join pg_inherits on inhrelid = oid where inhparent = 'exchange.access_token'::regclass order by 1"
  const { rows } = await withClient(system.databases.superuserUrl, (client) => client.query<{ day: string }>(text))
  return rows.map(({ day }) => day)
}

// Seen to fail, with ACCESS_TOKEN_REJECTED to a good token, where a day is dropped whatever lives in it.
it('the day that a periodic lineage began in stays for as long as it is renewed, and goes once it has ended', async () => {
  const today = system.clock.now().toISOString().slice(0, 10).replaceAll('-', '')
  const periodic = await system.login(await workloadWith(admin, 'periodic', { accessTokenPeriodSeconds: 30 * 86_400, accessTokenTtlSeconds: 60, accessTokenMaxTtlSeconds: 120 }))
  const other = await system.login(await workloadWith(admin, 'other', { accessTokenTtlSeconds: 0, accessTokenMaxTtlSeconds: 0 }))
  expect([periodic.expiresInSeconds, other.expiresInSeconds]).toEqual([30 * 86_400, 90 * 86_400])
  let { accessToken } = periodic
  for (let days = 25; days <= 150; days += 25) {
    await later(25)
    const renewed = await renew(accessToken)
    expect(renewed).toMatchObject({ tokenId: periodic.tokenId, expiresInSeconds: 30 * 86_400, maxExpireTime: undefined })
    accessToken = renewed.accessToken
    expect(await system.check(accessToken, 'read', 'secrets')).toMatchObject({ allowed: true, tokenId: periodic.tokenId })
  }
  expect(await daysOfTokens()).toContain(today)
  await expect(renew(other.accessToken)).rejects.toMatchObject(rejected)
  await later(32)
  await expect(renew(accessToken)).rejects.toMatchObject(rejected)
  expect(await daysOfTokens()).not.toContain(today)
})

it('the day of a periodic lineage that was revoked goes as any other', async () => {
  const today = system.clock.now().toISOString().slice(0, 10).replaceAll('-', '')
  const { accessToken } = await system.login(toRevoke)
  await later(80)
  const renewed = await renew(accessToken)
  await system.anonymous.exchange(Exchange.revokeAccessToken, { target: { $case: 'accessToken', value: renewed.accessToken } })
  await later(20)
  expect(await daysOfTokens()).not.toContain(today)
})
