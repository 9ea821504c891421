import { canonicalAddress } from '../rules/subnet.js'

/** The address of a peer, as grpc-js writes it: with its port, without brackets, or `unknown`. */
export const peerAddressOf = (peer: string): string | undefined => canonicalAddress(peer.replace(/:\d+$/, ''))
