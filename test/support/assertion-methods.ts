import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { JwtAuth, OidcAuth } from '#libs/wire/gen/countersign/exchange/v1/assertion_auth.js'
import type { AttachAuthMethodRequest, AuthMethod } from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import type { KubernetesAuth } from '#libs/wire/gen/countersign/exchange/v1/kubernetes_auth.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import type { ApiServer } from './api-server.js'
import type { Issuer } from './issuer.js'
import type { Session, System } from './system.js'
import { untouchedTokens } from './untouched.js'

export type Configuration = AttachAuthMethodRequest['configuration']

const demanded = { audiences: ['countersign'], subject: 'job-*', boundClaims: [], maxAssertionLifeSeconds: 0, mappedClaims: {} }

export const oidcOf = ({ url, caCertificate }: Issuer, change: Partial<OidcAuth> = {}): Configuration => ({ $case: 'oidcAuth', value: { ...demanded, issuer: url, caCertificate, ...change } })

export const jwtOf = (change: Partial<JwtAuth>): Configuration => ({ $case: 'jwtAuth', value: { ...demanded, issuer: 'https://issuer.example', jwksUrl: '', caCertificate: '', publicKeys: [], ...change } })

export const clusterOf = ({ host, caCertificate }: ApiServer, change: Partial<KubernetesAuth> = {}): Configuration => ({
  $case: 'kubernetesAuth',
  value: { host, caCertificate, audiences: ['countersign'], namespaces: ['billing'], names: ['worker'], reviewerToken: '', hasReviewerToken: false, ...change },
})

/** A new identity with this method. */
export async function makeAttached(admin: Session, name: string, configuration: Configuration): Promise<AuthMethod> {
  const { id: identityId } = await admin.registry(Registry.createIdentity, { name, role: '' })
  return admin.exchange(Exchange.attachAuthMethod, { identityId, ...untouchedTokens, configuration })
}

export const loginBy = ({ anonymous }: System, $case: 'kubernetesAuth' | 'oidcAuth' | 'jwtAuth', identityId: string, jwt: string) =>
  anonymous.exchange(Exchange.login, { proof: { $case, value: { identityId, jwt } } })

export const rejected = { kind: 'UNAUTHENTICATED', reason: 'CREDENTIALS_REJECTED', message: 'Client credentials were rejected.' }
