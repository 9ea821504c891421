import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** One end of a connection, and what has happened at it: texts, `end`, and codes of errors. */
export type End = { readonly socket: Socket; readonly heard: readonly string[]; says(text: string): void; hears(text: string): Promise<void> }

/** A server that says nothing by itself. */
export type Target = {
  readonly address: string
  /** Its ends of the connections made to it. */
  readonly accepted: readonly End[]
  /** The next one that nobody asked for yet. */
  next(): Promise<End>
  close(): void
}

export async function startTarget(): Promise<Target> {
  const accepted: End[] = []
  let asked = 0
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    accepted.push(endOf(socket))
    server.emit('accepted')
  })
  return {
    address: `127.0.0.1:${await portOf(server)}`,
    accepted,
    async next() {
      const number = asked++
      for (;;) {
        const end = accepted[number]
        if (end) return end
        await once(server, 'accepted')
      }
    },
    close: () => {
      for (const { socket } of accepted) socket.destroy()
      server.close()
    },
  }
}

export function dial(address: string): End {
  const [host = '', port] = address.split(':')
  return endOf(connect({ host, port: Number(port), allowHalfOpen: true, noDelay: true }))
}

function endOf(socket: Socket): End {
  const heard: string[] = []
  const hear = (event: string) => {
    heard.push(event)
    socket.emit('heard')
  }
  socket.setEncoding('utf8').on('data', (text: string) => hear(text))
  socket.on('end', () => hear('end'))
  socket.on('error', (error) => hear('code' in error ? String(error.code) : error.message))
  return {
    socket,
    heard,
    says: (text) => void socket.write(text),
    hears: (text) =>
      new Promise((done) => {
        const look = () => {
          if (!heard.join('').includes(text)) return
          socket.off('heard', look)
          done()
        }
        socket.on('heard', look)
        look()
      }),
  }
}

/** Returns when what can move has moved: bytes of others, on a way of their own in this process, went to and fro in the meantime. */
export async function meanwhile(trips = 20): Promise<void> {
  const echo = createServer((socket) => void socket.pipe(socket))
  const socket = connect(await portOf(echo), '127.0.0.1')
  for (let trip = 0; trip < trips; trip += 1) {
    socket.write('x')
    await once(socket, 'data')
  }
  socket.destroy()
  echo.close()
}

async function portOf(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address: AddressInfo | string | null = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  return address.port
}
