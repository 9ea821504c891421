import { tokenSourceNotTrusted } from '#libs/authorization.js'
import { DomainError } from '#libs/domain-error.js'
import { bearerToken } from '#libs/rpc/bearer.js'
import type { ServiceCallers } from '#libs/rpc/service-credential.js'
import type { Call } from '#libs/rpc/unary.js'
import { callerTokenRejected, checkNotAllowed } from '../domain/refusals.js'
import { presented } from './gather.js'
import type { Ruling } from './ruling.js'

/** Whose tokens the asking side may have checked. */
export type Asker = { readonly mayAskAbout: (organizationId: string) => boolean }

export type AskerOf = (call: Call) => Asker | Promise<Asker>

type Outside = {
  readonly ruling: Ruling
  readonly services: ServiceCallers
  /** Whether only this machine can reach the listener: then anybody may have a presented token checked. */
  readonly local: boolean
}

const anybody: Asker = { mayAskAbout: () => true }

const toCheck = { projectId: undefined, action: 'check', resource: 'authorization', attributes: new Map<string, string>() }

/** Who is asking: a service by its credential, anybody on this machine, or on a network a token that may `check authorization`. */
export function askerOf({ ruling, services, local }: Outside): AskerOf {
  const byOwnToken = async (call: Call): Promise<Asker> => {
    const about = { credential: presented(ownToken(call)), projectId: undefined, consistency: { level: 'bounded' as const }, mayAskAbout: anybody.mayAskAbout }
    const question = {
      ...toCheck,
      // Only some tokens are asked for it.
      get sourceAddress() {
        return call.peerAddress
      },
    }
    try {
      return await ruling({ about, question }, call, (decision, evidence) => {
        if (!decision.allowed) throw decision.reason === 'source-not-trusted' ? tokenSourceNotTrusted() : checkNotAllowed()
        return { mayAskAbout: (organization: string) => organization === evidence.credential.organizationId }
      })
    } catch (error) {
      throw error instanceof DomainError && error.kind === 'UNAUTHENTICATED' ? callerTokenRejected() : error
    }
  }
  return (call) => {
    if (services.isShownIn(call)) return services.require(call)
    return local ? anybody : byOwnToken(call)
  }
}

function ownToken(call: Call): string {
  try {
    return bearerToken(call.metadata)
  } catch {
    throw callerTokenRejected()
  }
}
