import type { Outgoing } from '#libs/rpc/client.js'
import type { Grants, Holder, TokenFacts } from './domain/grants.js'

/** What a presented token is good for. Refuses with ACCESS_TOKEN_REJECTED where it is good for nothing. */
export type TokenReader = { describe(token: string, outgoing: Outgoing): Promise<TokenFacts> }

/** What an identity holds in a scope. */
export type GrantReader = { grantsOf(holder: Holder, outgoing: Outgoing): Promise<Grants> }
