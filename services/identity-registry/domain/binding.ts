import type { Written } from './identity.js'
import { bindingNotFound } from './refusals.js'

/** One role of a binding, for ever or from `startTime` until just before `endTime`. */
export type BoundRole = { readonly roleId: string; readonly role: string; readonly startTime: Date | null; readonly endTime: Date | null }

/** Gives an identity roles in its organization or in one project of it. */
export type Binding = Written & {
  readonly organizationId: string
  readonly id: string
  readonly identityId: string
  /** Null: the organization itself. */
  readonly projectId: string | null
}

/** Whoever may manage the bindings of one scope is not told of another's. */
export function assertBoundIn(binding: Binding, projectId: string | undefined): void {
  if (binding.projectId !== (projectId ?? null)) throw bindingNotFound(binding.id)
}
