import type { Clock } from '#libs/clock.js'
import { outbound as outboundTo } from '#libs/outbound/outbound.js'
import type { Subnet } from '#libs/rules/subnet.js'
import type { AuthMethods, ConfigurationSeal, MethodProof, ProofVerifier, UniversalAuthVerifier } from '../ports.js'
import { keySets } from './assertion/key-sets.js'
import { jwtAuth } from './jwt/jwt-auth.js'
import { kubernetesAuth } from './kubernetes/kubernetes-auth.js'
import { methodProofs } from './method-proofs.js'
import { oidcAuth } from './oidc/oidc-auth.js'
import { tokenAuth } from './token/token-auth.js'
import { universalAuth, type UniversalAuthOutside } from './universal/verify-proof.js'

type Outside = UniversalAuthOutside & { readonly allowedNetworks: readonly Subnet[]; readonly seal: ConfigurationSeal; readonly clock: Clock }

type All = {
  readonly methods: AuthMethods
  readonly seal: ConfigurationSeal
  readonly universalAuth: UniversalAuthVerifier
  readonly methodProofs: ProofVerifier<MethodProof>
}

/** Every method there is: what operators configure, and what verifies proofs. */
export function authMethods(outside: Outside): All {
  const { db, allowedNetworks, seal, clock } = outside
  const outbound = outboundTo({ allowedNetworks })
  const issuers = { keySets: keySets({ outbound, clock }), clock }
  const proving = { 'kubernetes-auth': kubernetesAuth({ outbound }), 'oidc-auth': oidcAuth(issuers), 'jwt-auth': jwtAuth(issuers) }
  return {
    methods: { 'token-auth': tokenAuth, ...proving },
    seal,
    universalAuth: universalAuth(outside),
    methodProofs: methodProofs({ db, methods: proving, seal }),
  }
}
