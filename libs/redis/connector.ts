import { connect as connectPlainly, isIP, type Socket } from 'node:net'
import { connect as connectByTls } from 'node:tls'
import { AbstractConnector, type RedisOptions } from 'ioredis'
import type { StoreTls } from '../store-tls.js'

// How ioredis gets at its sockets, in place of its own ways. They listen for one error of a socket, and a socket by TLS may
// have two: its certificate is refused, and then it says what it thinks of that. The second one, heard by nobody, would end
// the process (ioredis 5.11, seen with Node 20). And a Sentinel that is silent they wait for, unless told otherwise.

export type Place = { readonly host: string; readonly port: number }

type Options = {
  readonly tls: StoreTls | undefined
  /** Asked for each connection. */
  readonly find: () => Place | Promise<Place>
  /** Whoever was found to be the master must say so too: a Sentinel may be behind. */
  readonly mustBeMaster?: boolean
  /** A socket that is to close and does not is not waited for. */
  readonly closeWithinMillis: number
}

export function connectorBy({ tls, find, mustBeMaster = false, closeWithinMillis }: Options): NonNullable<RedisOptions['Connector']> {
  return class extends AbstractConnector {
    constructor() {
      super(closeWithinMillis)
    }

    override check({ role }: { role?: string }): boolean {
      return !mustBeMaster || role === 'master'
    }

    // It may have been closed while somebody was asked.
    private isWanted(): boolean {
      return this.connecting
    }

    override async connect(): Promise<Socket> {
      this.connecting = true
      const place = await find()
      if (!this.isWanted()) throw new Error('Connection is closed.')
      const stream = tls ? connectByTls({ ...place, ...byName(place), rejectUnauthorized: tls.rejectUnauthorized, secureContext: tls.secureContext }) : connectPlainly(place)
      stream.on('error', (error: Error) => {
        this.firstError = error
      })
      this.stream = stream
      return stream
    }
  }
}

const byName = ({ host }: Place) => (isIP(host) === 0 ? { servername: host } : {})
