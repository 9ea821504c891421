import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { CheckRequest } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { bearer } from './calls.js'
import { type Outcome, rawCallsTo } from './raw-calls.js'
import type { System } from './system.js'

/** A way to show a token to this product. */
export type Door = { readonly name: string; readonly inMetadata: boolean; show(token: string): Promise<Outcome> }

export type Doors = { readonly all: readonly Door[]; readonly check: Door; close(): void }

/** Every way there is, with a token that may do everything in its organization. */
export function doorsOf({ addresses }: System): Doors {
  const [registry, exchange, authorization] = [rawCallsTo(addresses.registry), rawCallsTo(addresses.exchange), rawCallsTo(addresses.check)]
  const question = (accessToken: string) => CheckRequest.fromPartial({ accessToken, action: 'read', resource: { type: 'organization' } })
  const check: Door = {
    name: 'Check',
    inMetadata: false,
    show: (token) => authorization.call(Check.check.path, Check.check.requestSerialize(question(token))),
  }
  const { getUniversalAuth: get, renewAccessToken: renew, revokeAccessToken: revoke } = Exchange
  const all: Door[] = [
    check,
    {
      name: 'a management call to identity-registry',
      inMetadata: true,
      show: (token) => registry.call(Registry.getOrganization.path, Buffer.alloc(0), bearer(token)),
    },
    {
      name: 'a management call to auth-exchange',
      inMetadata: true,
      // Of an identity that does not exist: NOT_FOUND is what a good token is told.
      show: (token) => exchange.call(get.path, get.requestSerialize({ identityId: NOBODY }), bearer(token)),
    },
    {
      name: 'RenewAccessToken',
      inMetadata: false,
      show: (token) => exchange.call(renew.path, renew.requestSerialize({ accessToken: token })),
    },
    {
      name: 'RevokeAccessToken',
      inMetadata: false,
      show: (token) => exchange.call(revoke.path, revoke.requestSerialize({ target: { $case: 'accessToken', value: token } })),
    },
  ]
  return { all, check, close: () => [registry, exchange, authorization].forEach((calls) => calls.close()) }
}

const NOBODY = '019fda00-0000-7000-8000-000000000000'
