import type { CompiledRule } from '#libs/rules/compile.js'

/** What a token is good for at this moment, as auth-exchange says. */
export type TokenFacts = {
  readonly tokenId: string
  readonly organizationId: string
  readonly identityId: string
  readonly expireTime: Date | undefined
}

/** A role that the identity is bound with in the asked scope, ready to be asked, and its window. */
export type Grant = {
  readonly roleId: string
  readonly role: string
  readonly rules: readonly CompiledRule[]
  readonly startTime: Date | undefined
  readonly endTime: Date | undefined
}

/** What an identity holds in a scope, as identity-registry says; `now` is the database's time at which that was true. */
export type Grants = { readonly active: boolean; readonly identityName: string; readonly grants: readonly Grant[]; readonly now: Date }

/** Whose grants, and where; without a project those in the organization itself. */
export type Holder = { readonly organizationId: string; readonly identityId: string; readonly projectId: string | undefined }
