import { DomainError } from '#libs/domain-error.js'
import { bearerToken } from '#libs/rpc/bearer.js'
import type { ServiceCallers } from '#libs/rpc/service-credential.js'
import type { Call } from '#libs/rpc/unary.js'
import { decide } from '../domain/decide.js'
import { callerTokenRejected, checkNotAllowed } from '../domain/refusals.js'
import type { GrantReader, TokenReader } from '../ports.js'

/** Whose tokens the asking side may have checked. */
export type Asker = { readonly mayAskAbout: (organizationId: string) => boolean }

export type AskerOf = (call: Call) => Promise<Asker>

type Outside = {
  readonly tokens: TokenReader
  readonly grants: GrantReader
  readonly services: ServiceCallers
  /** Whether only this machine can reach the listener: then anybody may have a presented token checked. */
  readonly local: boolean
}

const anybody: Asker = { mayAskAbout: () => true }

/** Who is asking: a service by its credential, anybody on this machine, or on a network a token that may `check authorization`. */
export function askerOf({ tokens, grants, services, local }: Outside): AskerOf {
  return async (call) => {
    if (services.isShownIn(call)) return services.require(call)
    if (local) return anybody
    const caller = await tokens.describe(ownToken(call), call).catch((error: unknown) => {
      throw error instanceof DomainError && error.kind === 'UNAUTHENTICATED' ? callerTokenRejected() : error
    })
    const { organizationId, identityId } = caller
    const held = await grants.grantsOf({ organizationId, identityId, projectId: undefined }, call)
    if (!held.active) throw callerTokenRejected()
    if (!decide(held, { action: 'check', resource: 'authorization', attributes: new Map() }).allowed) throw checkNotAllowed()
    return { mayAskAbout: (organization) => organization === organizationId }
  }
}

function ownToken(call: Call): string {
  try {
    return bearerToken(call.metadata)
  } catch {
    throw callerTokenRejected()
  }
}
