import type { AuthMethods, ProofVerifier, UniversalAuthProof } from '../ports.js'
import { tokenAuth } from './token/token-auth.js'
import { universalAuth, type UniversalAuthOutside } from './universal/verify-proof.js'

type All = { readonly methods: AuthMethods; readonly universalAuth: ProofVerifier<UniversalAuthProof> }

/** Every method there is: what operators configure, and what verifies proofs. */
export const authMethods = (outside: UniversalAuthOutside): All => ({
  methods: { 'token-auth': tokenAuth },
  universalAuth: universalAuth(outside),
})
