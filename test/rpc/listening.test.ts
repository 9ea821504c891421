import { spawnSync } from 'node:child_process'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createLog } from '#libs/log.js'
import { createRpcClient } from '#libs/rpc/client.js'
import { createRpcServer, ListenError } from '#libs/rpc/server.js'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { scratchDirectory } from '../support/scratch-directory.js'
import { answering, outgoing, question, startServer } from './small-server.js'

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

const hasIPv6 = Object.values(networkInterfaces()).flat().some((one) => one?.address === '::1')

async function answersAt(address: string): Promise<boolean> {
  const client = createRpcClient({ address })
  opened.push(client)
  return (await client.unary(Check.check, question, outgoing())).allowed
}

describe('a server listens', () => {
  it('on a free port where it is asked for port 0, and says which', async () => {
    const server = await startServer(answering)
    opened.push(server)
    expect(server.port).toBeGreaterThan(0)
    expect(await answersAt(`127.0.0.1:${server.port}`)).toBe(true)
  })

  it('on a name', async () => {
    const server = await startServer(answering, { address: { host: 'localhost', port: 0 } })
    opened.push(server)
    expect(await answersAt(`localhost:${server.port}`)).toBe(true)
  })

  // Seen to fail without brackets: `::1:0` is no host and port.
  it.runIf(hasIPv6)('on an IPv6 address', async () => {
    const server = await startServer(answering, { address: { host: '::1', port: 0 } })
    opened.push(server)
    expect(await answersAt(`[::1]:${server.port}`)).toBe(true)
  })

  it('on a Unix socket, which is gone when it has closed', async () => {
    const directory = await scratchDirectory()
    const socketPath = join(directory.path, 'check.sock')
    const server = await startServer(answering, { address: { socketPath } })
    expect(await answersAt(`unix:${socketPath}`)).toBe(true)
    // A proxy beside it runs as somebody else.
    expect(statSync(socketPath).mode & 0o777).toBe(0o666)
    for (const one of opened.splice(0)) await one.close()
    await server.close()
    expect(existsSync(socketPath)).toBe(false)
    await directory.remove()
  })

  // Seen to fail without removeAbandonedSocket: whoever was killed could not start again.
  it('on a Unix socket that a process has left behind which was killed', async () => {
    const directory = await scratchDirectory()
    const socketPath = join(directory.path, 'check.sock')
    const listenAndDie = `require('node:net').createServer().listen(${JSON.stringify(socketPath)}, () => process.kill(process.pid, 'SIGKILL'))`
    spawnSync(process.execPath, ['-e', listenAndDie])
    expect(existsSync(socketPath)).toBe(true)
    opened.push({ close: () => directory.remove() }, await startServer(answering, { address: { socketPath } }))
    expect(await answersAt(`unix:${socketPath}`)).toBe(true)
  })

  it.each([
    ['a socket on which somebody listens', (path: string) => startServer(answering, { address: { socketPath: path } })],
    ['a file that is no socket', async (path: string) => writeFileSync(path, 'somebody needs this')],
  ])('on nothing that is %s, which stays', async (_what, make) => {
    const directory = await scratchDirectory()
    const socketPath = join(directory.path, 'check.sock')
    const made = await make(socketPath)
    if (made) opened.push(made)
    await expect(startServer(answering, { address: { socketPath } })).rejects.toThrow(ListenError)
    expect(existsSync(socketPath)).toBe(true)
    await directory.remove()
  })

  it('again where one has closed', async () => {
    const first = await startServer(answering, { graceMillis: 50 })
    await first.close()
    const second = await startServer(answering, { address: { host: '127.0.0.1', port: first.port } })
    opened.push(second)
    expect(await answersAt(second.address)).toBe(true)
  })
})

describe('a server that can’t listen says in plain words', () => {
  const failureOf = async (address: Parameters<typeof createRpcServer>[0]['address']): Promise<unknown> => {
    const server = createRpcServer({ log: createLog({ service: 'x', level: 'silent' }), address, portVariable: 'CHECK_PORT', services: () => [] })
    const failure = await server.listen().catch((error: unknown) => error)
    await server.close()
    return failure
  }

  it('that the port is in use, and which variable sets it', async () => {
    const server = await startServer(answering)
    opened.push(server)
    const failure = await failureOf({ host: '127.0.0.1', port: server.port })
    expect(failure).toBeInstanceOf(ListenError)
    expect(failure).toMatchObject({
      message: `Port ${server.port} is in use: stop what listens on 127.0.0.1:${server.port}, or set CHECK_PORT to another port (0: any free one).`,
    })
    expect(await answersAt(server.address)).toBe(true)
  })

  it('that the address is not of this machine', async () => {
    const failure = await failureOf({ host: '192.0.2.1', port: 0 })
    expect(failure).toBeInstanceOf(ListenError)
    expect(failure).toMatchObject({ message: expect.stringMatching(/^Can't listen on 192\.0\.2\.1:0 \(CHECK_PORT\): /) })
  })

  it('that the host is none', async () => {
    expect(await failureOf({ host: 'no host', port: 1 })).toBeInstanceOf(ListenError)
  })

  it('that there is no place for a socket', async () => {
    const failure = await failureOf({ socketPath: '/no/such/directory/check.sock' })
    expect(failure).toBeInstanceOf(ListenError)
    expect(failure).toMatchObject({ message: expect.stringContaining('/no/such/directory/check.sock') })
  })
})
