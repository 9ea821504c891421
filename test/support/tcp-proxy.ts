import { createServer, type Server, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { monotonicMillis } from '#libs/clock.js'
import { stablePort } from './stable-port.js'

export type Direction = 'toTarget' | 'toClient'

/**
 * A way to one server that can be made bad. It is in one mode at a time, and each mode holds for the connections that are
 * there and for those to come. No mode loses a part of a stream and goes on behind it, as TCP does not: what is held up
 * arrives, in order, once it may.
 */
export type TcpProxy = {
  /** `host:port`, the same for as long as it lives. */
  readonly address: string
  /** As if it were not there; so it starts. */
  pass(): void
  /** Everything arrives later, in each direction, by up to `jitterMillis` more; what is under way when this ends is still late. */
  delay(millis: number, jitterMillis?: number): void
  /** Every connection is reset, and every new one as soon as it is made. */
  cut(): void
  /** Nothing moves and nothing is closed; new connections are made, and the target does not hear of them. */
  blackhole(): void
  /** As `blackhole`, but in this direction alone. */
  halfOpen(held: Direction): void
  /** Resets the connections that are there, once; the mode stays. */
  resetAll(): void
  counts(): Counts
  close(): Promise<void>
}

/** Connections ever accepted, and those that are still there at either end; bytes that were handed on. */
export type Counts = { readonly accepted: number; readonly open: number } & Readonly<Record<Direction, number>>

/** How much of one direction of one connection may be under way before its sender has to wait. */
export const WINDOW_BYTES = 1024 * 1024

const HOST = '127.0.0.1'

export async function startTcpProxy({ target, port: wanted }: { readonly target: string; readonly port?: number }): Promise<TcpProxy> {
  const port = wanted ?? (await stablePort())
  const { hostname, port: targetPort } = new URL(`tcp://${target}`)
  const ways = { toTarget: new Way(), toClient: new Way() }
  const connections = new Set<readonly Socket[]>()
  let accepted = 0
  let isCut = false

  const accept = (client: Socket) => {
    accepted += 1
    const upstream = new Socket({ allowHalfOpen: true })
    const both = [client, upstream]
    connections.add(both)
    void Promise.all(both.map(closed)).then(() => connections.delete(both))
    const send = carry(client, upstream, ways.toTarget)
    carry(upstream, client, ways.toClient)
    if (isCut) both.forEach(reset)
    send(() => {
      if (!upstream.destroyed) upstream.connect({ host: hostname, port: Number(targetPort), noDelay: true })
    })
  }
  const resetAll = () => [...connections].flat().forEach(reset)
  const become = (toTarget: Condition, toClient: Condition) => {
    isCut = false
    ways.toTarget.become(toTarget)
    ways.toClient.become(toClient)
  }
  const server = createServer({ allowHalfOpen: true, noDelay: true }, accept)
  await listening(server, port)
  return {
    address: `${HOST}:${port}`,
    pass: () => become(CLEAR, CLEAR),
    delay: (millis, jitterMillis = 0) => become({ ...CLEAR, millis, jitterMillis }, { ...CLEAR, millis, jitterMillis }),
    cut: () => {
      become(CLEAR, CLEAR)
      isCut = true
      resetAll()
    },
    blackhole: () => become(HELD, HELD),
    halfOpen: (held) => become(held === 'toTarget' ? HELD : CLEAR, held === 'toClient' ? HELD : CLEAR),
    resetAll,
    counts: () => ({ accepted, open: connections.size, toTarget: ways.toTarget.bytes, toClient: ways.toClient.bytes }),
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        resetAll()
      }),
  }
}

type Condition = { readonly isHeld: boolean; readonly millis: number; readonly jitterMillis: number }

const CLEAR: Condition = { isHeld: false, millis: 0, jitterMillis: 0 }
const HELD: Condition = { ...CLEAR, isHeld: true }

/** One direction of all connections. */
class Way {
  bytes = 0
  #condition = CLEAR
  readonly #waiting: (() => void)[] = []

  become(condition: Condition): void {
    this.#condition = condition
    if (!condition.isHeld) for (const goOn of this.#waiting.splice(0)) goOn()
  }

  /** Sets out now; what it answers with waits for the arrival. */
  setOut(): () => Promise<void> {
    const { millis, jitterMillis } = this.#condition
    const due = monotonicMillis() + millis + Math.random() * jitterMillis
    return async () => {
      const left = due - monotonicMillis()
      if (left > 0) await sleep(Math.ceil(left), undefined, { ref: false })
      while (this.#condition.isHeld) await new Promise<void>((goOn) => this.#waiting.push(goOn))
    }
  }
}

/** Lets all that one end does happen at the other, in its order: bytes, the end of them, a reset. More can be sent along. */
function carry(from: Socket, to: Socket, way: Way): (act: () => Promise<void> | void) => void {
  let last = Promise.resolve()
  let underWay = 0
  const send = (act: () => Promise<void> | void) => {
    last = last.then(way.setOut()).then(act)
  }
  from.on('data', (chunk: Buffer) => {
    underWay += chunk.length
    if (underWay >= WINDOW_BYTES) from.pause()
    send(async () => {
      if (await written(to, chunk)) way.bytes += chunk.length
      underWay -= chunk.length
      if (from.isPaused() && underWay < WINDOW_BYTES) from.resume()
    })
  })
  from.once('end', () => send(() => void to.end()))
  // Its error is told by its closing.
  from.on('error', () => undefined)
  from.once('close', (hadError) => {
    if (hadError) send(() => reset(to))
  })
  return send
}

const written = (to: Socket, chunk: Buffer): Promise<boolean> => new Promise((done) => to.write(chunk, (error) => done(!error)))

const closed = (socket: Socket): Promise<void> => new Promise((done) => socket.once('close', () => done()))

function reset(socket: Socket): void {
  // Without the second step it waits for what is still to be written, and may send a proper end before the reset.
  if (!socket.pending) socket.resetAndDestroy()
  socket.destroy()
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((listens, fails) => {
    server.once('error', fails)
    server.listen(port, HOST, () => {
      server.off('error', fails).on('error', () => undefined)
      listens()
    })
  })
}
