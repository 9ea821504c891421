import { setTimeout as sleep } from 'node:timers/promises'
import { monotonicMillis } from '#libs/clock.js'
import { DomainError } from '#libs/domain-error.js'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import type { ServiceAddresses } from '../../deploy/local/services.js'
import { freshNames, makeWorkload, type Workload } from '../support/builders.js'
import { bearer, type Calls, callsTo } from '../support/calls.js'
import type { Stream } from '../support/open-loop.js'
import type { Credentials } from '../support/system.js'
import type { Asked } from './observed.js'

const DEADLINE_MILLIS = 5_000
const WORKLOADS = 8

/** The tokens that are checked all the time, new ones before the old ones end. */
const RENEW_EVERY_MILLIS = 1_200_000

export type Traffic = { readonly streams: readonly Stream[]; close(): void }

type Options = { readonly addresses: ServiceAddresses; readonly admin: Credentials; readonly boundMillis: number; readonly note: (asked: Asked) => void }

/** What a system has to do day and night. Whose answer is known is asked so that it can be judged. */
export async function startTraffic({ addresses, admin, boundMillis, note }: Options): Promise<Traffic> {
  const [exchange, check] = [callsTo(addresses.exchange), callsTo(addresses.check)]
  const login = ({ clientId, clientSecret }: Credentials) => exchange(Exchange.login, { proof: { $case: 'universalAuth', value: { clientId, clientSecret } } }, DEADLINE_MILLIS)
  const sessionOf = async (credentials: Credentials) => {
    const { accessToken: token, tokenId } = await login(credentials)
    const open = (address: string) => callsTo(address, bearer(token))
    return { token, tokenId, registry: open(addresses.registry), exchange: open(addresses.exchange), check: open(addresses.check) }
  }
  let operator = await sessionOf(admin)
  const workloads: Workload[] = []
  while (workloads.length < WORKLOADS) workloads.push(await makeWorkload(operator, { name: `soak-${workloads.length}`, role: 'viewer' }))
  const [first] = workloads
  if (!first) throw new Error('a soak without workloads')
  const tokensOf = () => Promise.all(workloads.map(async (workload) => (await login(workload)).accessToken))
  let tokens = await tokensOf()
  const renew = async () => {
    const [renewed, another] = [await tokensOf(), await sessionOf(admin)]
    hangUp(operator)
    ;[tokens, operator] = [renewed, another]
  }
  const renewing = setInterval(() => void renew().catch(() => undefined), RENEW_EVERY_MILLIS)
  let turn = 0
  const next = <T>(from: readonly T[], otherwise: T): T => from[(turn += 1) % from.length] ?? otherwise
  const ask = asking({ check, note })
  const revoke = async () => {
    const { accessToken } = await login(next(workloads, first))
    await ask({ question: 'a new token', token: accessToken, action: 'read', due: 'allow' })
    await exchange(Exchange.revokeAccessToken, { target: { $case: 'accessToken', value: accessToken } }, DEADLINE_MILLIS)
    const revoked = monotonicMillis()
    await sleep(boundMillis + 1)
    await ask({ question: 'a revoked token', token: accessToken, action: 'read', due: 'rejected', revoked })
  }
  const nextName = freshNames('made')
  return {
    streams: [
      { name: 'Login', perSecond: 8, call: () => login(next(workloads, first)) },
      { name: 'Check', perSecond: 30, call: () => ask({ question: 'what is allowed', token: next(tokens, ''), action: 'read', due: 'allow' }) },
      { name: 'Check, denied', perSecond: 8, call: () => ask({ question: 'what nobody may', token: next(tokens, ''), action: 'delete', due: 'deny' }) },
      { name: 'Create, update, delete', perSecond: 2, call: () => manage(operator.registry, nextName) },
      { name: 'Login, revoke, Check', perSecond: 2, call: revoke },
    ],
    close() {
      clearInterval(renewing)
      hangUp(operator)
      for (const calls of [exchange, check]) calls.close()
    },
  }
}

function hangUp({ registry, exchange, check }: { readonly registry: Calls; readonly exchange: Calls; readonly check: Calls }): void {
  for (const calls of [registry, exchange, check]) calls.close()
}

type Question = Pick<Asked, 'question' | 'due' | 'revoked'> & { readonly token: string; readonly action: string }

/** Asks, and notes what was answered; fails where nothing was. */
function asking({ check, note }: { readonly check: Calls; readonly note: (asked: Asked) => void }) {
  return async ({ token, action, ...known }: Question): Promise<void> => {
    const sent = monotonicMillis()
    const request = { accessToken: token, projectId: '', action, resource: { type: 'identity', attributes: {} }, consistency: undefined, context: {}, sourceAddress: '' }
    const answer = await check(Check.check, request, DEADLINE_MILLIS).then(({ allowed }) => (allowed ? 'allow' : 'deny'), rejectedOrFailed)
    note({ ...known, sent, answer })
  }
}

function rejectedOrFailed(error: unknown): 'rejected' {
  if (error instanceof DomainError && error.reason === 'ACCESS_TOKEN_REJECTED') return 'rejected'
  throw error
}

async function manage(registry: Calls, nextName: () => string): Promise<void> {
  const { id } = await registry(Registry.createIdentity, { name: nextName(), role: 'viewer' }, DEADLINE_MILLIS)
  await registry(Registry.updateIdentity, { id, name: nextName(), etag: '' }, DEADLINE_MILLIS)
  await registry(Registry.deleteIdentity, { id, etag: '' }, DEADLINE_MILLIS)
}
