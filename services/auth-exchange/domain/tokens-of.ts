import type { MethodName } from './auth-method.js'

/** Whose tokens are meant: all of the organization, of an identity, of its auth method, or of one of its client secrets. */
export type TokensOf =
  | { readonly type: 'organization' }
  | { readonly type: 'identity'; readonly identityId: string }
  | { readonly type: 'auth-method'; readonly identityId: string; readonly method: MethodName }
  | { readonly type: 'client-secret'; readonly identityId: string; readonly id: string }
