import { canonicalAddress } from '../rules/subnet.js'

/** The address in a peer as gRPC names it, `ADDRESS:PORT`; undefined on a Unix socket, and for whoever is gone already. */
export const addressOfPeer = (peer: string): string | undefined => canonicalAddress(peer.slice(0, Math.max(0, peer.lastIndexOf(':'))))
