import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** A free port below those that the system gives to outgoing connections: one of these could take it between two starts. */
export async function stablePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000)
    const isFree = await new Promise<boolean>((done) => {
      const probe = createServer()
      probe.once('error', () => done(false))
      probe.listen(port, '127.0.0.1', () => probe.close(() => done(true)))
    })
    if (isFree) return port
  }
}
