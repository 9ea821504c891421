import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { allow, makeWorkload, type Workload } from './builders.js'
import type { Session } from './system.js'
import { untouched } from './untouched.js'

export type Settings = {
  readonly accessTokenTtlSeconds?: number
  readonly accessTokenMaxTtlSeconds?: number
  readonly accessTokenUseLimit?: number
  readonly accessTokenPeriodSeconds?: number
  readonly accessTokenTrustedIps?: { readonly cidrs: string[] }
}

/** Changes how the tokens of the identity are that it obtains from now on, and from where all of them may be used. */
export const give = ({ exchange }: Session, identityId: string, settings: Settings) => exchange(Exchange.updateUniversalAuth, { identityId, ...untouched, ...settings, etag: '' })

/** Somebody who may read secrets, or what a built-in role may, and whose tokens are such. */
export async function workloadWith(admin: Session, name: string, { role, ...settings }: Settings & { readonly role?: string }): Promise<Workload> {
  if (role === undefined) await admin.registry(Registry.createRole, { projectId: '', name, description: '', rules: [allow(['read'], ['secrets'])] })
  const workload = await makeWorkload(admin, { name, role: role ?? name })
  await give(admin, workload.identityId, settings)
  return workload
}
