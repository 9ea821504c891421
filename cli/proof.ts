import type { LoginRequest } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import type { AssertionMethod } from './login-method.js'

/** Whom a command says that it is, by its own word. */
export type Holder = { readonly clientId: string } | { readonly identityId: string; readonly method: AssertionMethod }

export type Proof = NonNullable<LoginRequest['proof']>

/** What a login shows. */
export type Credentials = {
  readonly holder: Holder
  /** Where they come from, for people. */
  readonly source: string
  /** Asked for only when there is no token of an earlier command. */
  readonly proof: () => Promise<Proof>
}

export const holderText = (holder: Holder): string => ('clientId' in holder ? `client id ${holder.clientId}` : `identity ${holder.identityId} by ${holder.method}`)

/** Under which its tokens are kept. */
export const holderKey = (holder: Holder): string => ('clientId' in holder ? holder.clientId : `${holder.method} ${holder.identityId}`)

export const holderFields = (holder: Holder): (readonly [string, string])[] =>
  'clientId' in holder ? [['client id', holder.clientId]] : [['identity', holder.identityId], ['method', holder.method]]
