import type { IdentityState } from './identity.js'

/** A role that an identity is bound with in the asked scope, with its window. */
export type Grant = { readonly roleId: string; readonly startTime: Date | null; readonly endTime: Date | null }

/** All that an identity holds in one scope; without a state there is no such identity. */
export type Grants = { readonly name: string; readonly state: IdentityState | undefined; readonly grants: readonly Grant[] }

/** Whose grants, and where; without a project those in the organization itself. */
export type Holder = { readonly organizationId: string; readonly identityId: string; readonly projectId: string | undefined }
