import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { callsTo } from '../support/calls.js'
import { scratchDirectory } from '../support/scratch-directory.js'
import { allowed, type Options, question, startServer } from './small-server.js'

const hasIPv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))

/** What a handler is told of a peer that asks at this address, of a server that listens so. */
async function peersOf(options: Options, addressOf: (server: { address: string; port: number }) => string): Promise<unknown[]> {
  const peers: unknown[] = []
  const server = await startServer((_request, call) => {
    peers.push(call.peerAddress)
    return allowed
  }, options)
  const calls = callsTo(addressOf(server))
  try {
    await calls(Check.check, question)
    return peers
  } finally {
    calls.close()
    await server.close()
  }
}

describe('the address of a peer', () => {
  it('is that of the socket', async () => {
    expect(await peersOf({}, ({ address }) => address)).toEqual(['127.0.0.1'])
  })

  // Node tells of an IPv4 peer of a server that takes both as ::ffff:127.0.0.1.
  it.runIf(hasIPv6)('is the IPv4 address of an IPv4 peer, and the IPv6 address of an IPv6 peer, where a server takes both', async () => {
    const both = { address: { host: '::', port: 0 } }
    expect(await peersOf(both, ({ port }) => `127.0.0.1:${port}`)).toEqual(['127.0.0.1'])
    expect(await peersOf(both, ({ port }) => `[::1]:${port}`)).toEqual(['::1'])
  })

  it('is not known on a Unix socket', async () => {
    const folder = await scratchDirectory()
    expect(await peersOf({ address: { socketPath: join(folder.path, 'peer.sock') } }, ({ address }) => address)).toEqual([undefined])
    await folder.remove()
  })
})
