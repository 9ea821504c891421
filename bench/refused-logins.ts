import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { secretText } from '../services/auth-exchange/domain/client-secret.js'
import { makeWorkload } from '../test/support/builders.js'
import { wrongSecret } from '../test/support/failing-logins.js'
import { anyId } from '../test/support/isolation.js'
import type { Credentials } from '../test/support/system.js'
import type { BenchSystem } from './system.js'

/** Why a login is refused; of the first two a caller knows the secret of nobody. */
export const KINDS = ['unknownClient', 'unknownSecret', 'wrong', 'expired', 'revoked', 'spent', 'disabled'] as const

export type Kind = (typeof KINDS)[number]

/** What somebody shows who is refused, for each reason with a client id of its own. What nobody has is another each time. */
export type RefusedLogins = Readonly<Record<Kind, () => Credentials>>

const EXPIRES_AFTER_SECONDS = 1

export async function refusedLogins({ session, login }: BenchSystem): Promise<RefusedLogins> {
  const make = (name: string, limits = {}) => makeWorkload(session, { name: `timing-${name}`, ...limits })
  const expired = await make('expired', { ttlSeconds: EXPIRES_AFTER_SECONDS })
  const known = await make('known')
  const wrong = await make('wrong')
  const revoked = await make('revoked')
  const spent = await make('spent', { useLimit: 1 })
  const disabled = await make('disabled')
  await session.exchange(Exchange.revokeClientSecret, { identityId: revoked.identityId, id: revoked.secretId })
  await login(spent)
  await session.registry(Registry.disableIdentity, { id: disabled.identityId })
  // Until it has expired, and the other has been heard of.
  await sleep(EXPIRES_AFTER_SECONDS * 1_000 + 500)
  const nobodys = () => secretText(anyId(), randomBytes(32))
  return {
    unknownClient: () => ({ clientId: anyId(), clientSecret: nobodys() }),
    unknownSecret: () => ({ ...known, clientSecret: nobodys() }),
    wrong: () => wrongSecret(wrong),
    expired: () => expired,
    revoked: () => revoked,
    spent: () => spent,
    disabled: () => disabled,
  }
}
