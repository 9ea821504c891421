import type { Closing } from '#libs/lifecycle.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { type Admin, bootstrap, newAdmin } from '../../deploy/local/bootstrap.js'
import { type LocalSecrets, newSecrets } from '../../deploy/local/secrets.js'
import { asService, bearer, type Calls, callsTo } from '../support/calls.js'
import { type Fleet, type Member, startFleet } from '../support/fleet.js'
import { type OwnPostgres, startOwnPostgres } from '../support/own-postgres.js'
import { type OwnRedis, ownRedis } from '../support/redis.js'
import type { From } from '../support/processes.js'
import type { Random } from './random.js'

/** An organization, and the token of its admin for whatever is changed in it. */
export type Organization = { readonly admin: Admin; token: string }

/** Everything that is attacked. */
export type World = {
  readonly postgres: OwnPostgres
  readonly redis: OwnRedis
  readonly fleet: Fleet
  readonly secrets: LocalSecrets
  readonly organizations: readonly [Organization, Organization]
  /** Calls to one replica, past every proxy; with a token where one is given. */
  at(member: Member, token?: string): Calls
  registry(random: Random, token: string): Calls
  exchange(random: Random, token?: string): Calls
  /** Whoever runs the installation, at an auth-exchange. */
  operator(random: Random): Calls
  operatorAt(exchange: Member): Calls
  /** Gives the admins new tokens, before the old ones end. */
  renewTokens(): Promise<void>
  close(): Promise<void>
}

export async function startWorld(from: From, closing: Closing): Promise<World> {
  const postgres = await startOwnPostgres()
  closing.add(() => postgres.close())
  // Should this process fail: what stands still would not hear that it is to end.
  process.prependListener('exit', () => void postgres.resume())
  const redis = await ownRedis()
  closing.add(() => redis.close())
  const secrets = newSecrets()
  const fleet = await startFleet({ ...postgres, redisUrl: redis.url, secrets, sidecars: 1, from, environment: { DRAIN_SECONDS: '1', LOG_LEVEL: 'warn' } })
  closing.add(() => fleet.close())
  const opened = new Map<string, Calls>()
  closing.add(() => {
    for (const calls of opened.values()) calls.close()
  })
  const showing = (address: string, headers: Readonly<Record<string, string>>): Calls => {
    const key = `${address} ${JSON.stringify(headers)}`
    const calls = opened.get(key) ?? callsTo(address, headers)
    opened.set(key, calls)
    return calls
  }
  const at = ({ address }: Member, token = ''): Calls => showing(address, token === '' ? {} : bearer(token))
  const operatorAt = ({ internalAddress }: Member): Calls => showing(internalAddress, asService('bootstrap', secrets.bootstrapCredential))
  const anyOf = (members: readonly Member[], random: Random): Member => {
    const member = random.pick(members)
    if (!member) throw new Error('a fleet without replicas')
    return member
  }
  const [exchangeMember] = fleet.exchanges
  if (!exchangeMember) throw new Error('a fleet without an exchange')
  const tokenOf = async ({ clientId, clientSecret }: Admin): Promise<string> => {
    const { accessToken } = await at(exchangeMember)(Exchange.login, { proof: { $case: 'universalAuth', value: { clientId, clientSecret } } })
    return accessToken
  }
  const organization = async (): Promise<Organization> => {
    const admin = newAdmin()
    await bootstrap(fleet.addresses, { credential: secrets.bootstrapCredential }, admin)
    return { admin, token: await tokenOf(admin) }
  }
  const organizations = [await organization(), await organization()] as const
  return {
    postgres,
    redis,
    fleet,
    secrets,
    organizations,
    at,
    registry: (random, token) => at(anyOf(fleet.registries, random), token),
    exchange: (random, token = '') => at(anyOf(fleet.exchanges, random), token),
    operator: (random) => operatorAt(anyOf(fleet.exchanges, random)),
    operatorAt,
    async renewTokens() {
      for (const one of organizations) one.token = await tokenOf(one.admin)
    },
    close: () => closing.close(),
  }
}
