import { LRUCache } from 'lru-cache'
import { canonicalAddress } from '../rules/subnet.js'

/** Of connections, which bring many calls each. */
const MOST = 2_000

const known = new LRUCache<string, { readonly address: string | undefined }>({ max: MOST })

/** The address of a peer, as grpc-js writes it: with its port, without brackets, or `unknown`. */
export function peerAddressOf(peer: string): string | undefined {
  const found = known.get(peer)
  if (found) return found.address
  const address = canonicalAddress(peer.replace(/:\d+$/, ''))
  known.set(peer, { address })
  return address
}
