import type { CreateAccessTokenResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { AuthMethod } from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import type { Session } from './system.js'
import { standardTokenAuth, type untouchedTokens } from './untouched.js'

type Settings = { readonly [Setting in keyof typeof untouchedTokens]?: Setting extends 'accessTokenTrustedIps' ? { cidrs: string[] } : number }

/** Token Auth of an identity of its own. */
export async function makeTokenAuth(admin: Session, { name, role = '', ...settings }: Settings & { readonly name: string; readonly role?: string }): Promise<AuthMethod> {
  const { id: identityId } = await admin.registry(Registry.createIdentity, { name, role })
  return admin.exchange(Exchange.attachAuthMethod, { identityId, ...standardTokenAuth, ...settings })
}

/** A token that an operator makes. */
export const makeToken = (admin: Session, { identityId }: { readonly identityId: string }, name = 'ci'): Promise<CreateAccessTokenResponse> =>
  admin.exchange(Exchange.createAccessToken, { identityId, name })
