import type { ClaimedToken } from '#libs/active-token.js'
import type { Reader } from '#libs/freshness/read-through.js'
import type { Outgoing } from '#libs/rpc/client.js'
import type { Grants, Holder, PrincipalFacts, Role, RoleKey, TokenFacts } from './domain/grants.js'

/** A token as it was presented, the digest that its copies are known by, and what it says of itself, unverified. */
export type PresentedToken = { readonly text: string; readonly digest: string; readonly claimed?: ClaimedToken | undefined }

/** What a presented token is good for. Refuses with ACCESS_TOKEN_REJECTED where it never was good for anything. */
export type TokenReader = Reader<PresentedToken, TokenFacts>

/** Counts a use of a token, durably. False where it may not be used from there; refuses where none is left. */
export type UseCounter = (use: { readonly text: string; readonly sourceAddress: string | undefined }, outgoing: Outgoing) => Promise<boolean>

/** A name in a client certificate, whose principals it is looked for among, and the digest that copies are known by. */
export type PresentedPrincipal = { readonly organizationId: string; readonly name: string; readonly digest: string }

/** Whom a name stands for; nobody is an answer too. */
export type PrincipalReader = Reader<PresentedPrincipal, PrincipalFacts>

/** What is shown of who asks. */
export type Credential = { readonly kind: 'token'; readonly token: PresentedToken } | { readonly kind: 'principal'; readonly principal: PresentedPrincipal }

/** What an identity holds in a scope. */
export type GrantReader = Reader<Holder, Grants>

/** The rules of a role. */
export type RoleReader = Reader<RoleKey, Role>
