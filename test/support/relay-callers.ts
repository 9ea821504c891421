import { digestOf, internalCallers } from '#libs/rpc/service-credential.js'

/** The callers of an authorization-check that relays, and with them any other authorization-check of the installation. */
export function relayCallers(callers: string, checkCredential: string): string {
  const pulling = { name: 'authorization-check', digests: [digestOf(checkCredential)], methods: ['/countersign.feed.v1.ChangeFeedService/PullChanges'], organizations: ['*'], projects: ['*'] }
  return JSON.stringify([...internalCallers.parse(callers), pulling])
}
