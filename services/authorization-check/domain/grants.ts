import { type CompiledRules, compileRules } from '#libs/rules/compile.js'
import type { Rule } from '#libs/rules/rule.js'
import type { TrustedSource } from '#libs/rules/trusted-source.js'

/** What a presented token is good for, as auth-exchange says. */
export type TokenFacts = {
  readonly tokenId: string
  readonly organizationId: string
  readonly identityId: string
  readonly credentialId: string
  readonly method: string
  readonly expireMillis: number
  /** It will never be good again. */
  readonly revoked: boolean
  /** What its login proved beside who it is. */
  readonly authClaims?: ReadonlyMap<string, string> | undefined
  /** An allow is given only once a use was counted. */
  readonly useLimited: boolean
  /** From where it may be used. Undefined: from everywhere. */
  readonly trusted: TrustedSource | undefined
}

/** Whom the name in a client certificate stands for, as auth-exchange says. */
export type PrincipalFacts = {
  readonly organizationId: string
  /** Undefined: nobody's, for now. */
  readonly mapped: { readonly principalId: string; readonly identityId: string } | undefined
}

/** Who asks, and what shows it: a token, or the name in a certificate that a proxy verified. */
export type CredentialFacts = Pick<TokenFacts, 'organizationId' | 'identityId' | 'method' | 'expireMillis' | 'revoked' | 'useLimited' | 'trusted' | 'authClaims'> & {
  /** Undefined where no token was shown. */
  readonly tokenId: string | undefined
  readonly principalId?: string
}

/** A role that the identity is bound with in the asked scope, and its window in milliseconds since 1970. */
export type Grant = { readonly roleId: string; readonly startMillis: number; readonly endMillis: number }

/** What an identity holds in a scope, as identity-registry says. `absent`: it was deleted, or never was. */
export type Grants = { readonly state: 'active' | 'disabled' | 'absent'; readonly identityName: string; readonly grants: readonly Grant[] }

/** A role, its rules as they were written and ready to be asked. */
export type Role = { readonly roleId: string; readonly role: string; readonly rules: readonly Rule[]; readonly compiled: CompiledRules }

export const roleFrom = (role: Omit<Role, 'compiled'>): Role => ({ ...role, compiled: compileRules(role.rules) })

/** Whose grants, and where; without a project those in the organization itself. */
export type Holder = { readonly organizationId: string; readonly identityId: string; readonly projectId: string | undefined }

export type RoleKey = { readonly organizationId: string; readonly roleId: string }
