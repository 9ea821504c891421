import { isId } from '#libs/ids.js'
import { wrongUsage } from './failure.js'
import type { AssertionMethod, MethodOptions } from './login-method.js'
import type { Credentials } from './proof.js'
import { readText } from './read-text.js'
import type { Environment } from './variables.js'

// The JWT that a cluster or an issuer gave, as it is at this moment: whoever wrote it writes it anew before it expires.

/** Where Kubernetes puts the token of a service account. */
export const SERVICE_ACCOUNT_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/token'

const cases = { 'kubernetes-auth': 'kubernetesAuth', 'oidc-auth': 'oidcAuth', 'jwt-auth': 'jwtAuth' } as const

export function byAssertion(method: AssertionMethod, { identity, assertionFile }: MethodOptions, environment: Environment): Credentials {
  const file = assertionFile ?? (environment.COUNTERSIGN_ASSERTION_FILE || undefined)
  const text = file === undefined ? environment.COUNTERSIGN_ASSERTION || undefined : undefined
  const path = file ?? (text === undefined && method === 'kubernetes-auth' ? SERVICE_ACCOUNT_FILE : undefined)
  const isThere = path !== undefined || text !== undefined
  const identityId = identity ?? (environment.COUNTERSIGN_IDENTITY || undefined)
  if (identityId === undefined) throw missing(method, isThere ? [IDENTITY] : [IDENTITY, ASSERTION])
  if (!isId(identityId)) throw wrongUsage(`${identity === undefined ? 'COUNTERSIGN_IDENTITY' : '--identity'} must be the id of an identity: who has no token yet can't look up its name.`)
  return {
    holder: { identityId, method },
    source: path === '-' ? 'standard input' : (path ?? 'COUNTERSIGN_ASSERTION'),
    proof: async () => {
      if (!isThere) throw missing(method, [ASSERTION])
      return { $case: cases[method], value: { identityId, jwt: text?.trim() ?? (await readAssertion(path ?? '')) } }
    },
  }
}

/** No warning where others may read it: Kubernetes writes it so. */
async function readAssertion(path: string): Promise<string> {
  const text = (await readText(path)).trim()
  if (text === '') throw wrongUsage(path === '-' ? 'Nothing came on standard input.' : `${path} is empty.`)
  return text
}

const IDENTITY = '--identity ID (or COUNTERSIGN_IDENTITY)'
const ASSERTION = '--assertion-file FILE (or COUNTERSIGN_ASSERTION_FILE or COUNTERSIGN_ASSERTION)'

const missing = (method: AssertionMethod, what: readonly string[]) => wrongUsage(`${method} needs ${what.join(' and ')}.`)
