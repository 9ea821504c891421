import { connect, createServer, type Socket } from 'node:net'

export type Way = { readonly address: string; close(): Promise<void> }

/** A way to a server, by which it sees callers at another address of this machine, as 127.0.0.2. */
export async function fromAddress(target: string, localAddress: string): Promise<Way> {
  const [host = '', port] = target.split(':')
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect({ host, port: Number(port), localAddress, noDelay: true })
    for (const socket of [client, upstream]) {
      open.add(socket)
      // Its error is told by its closing.
      socket.on('error', () => undefined)
      socket.on('close', () => {
        open.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream).pipe(client)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('it has no port')
  return {
    address: `127.0.0.1:${address.port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        for (const socket of open) socket.destroy()
      }),
  }
}
