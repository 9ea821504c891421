import { type ClientDuplexStream, status } from '@grpc/grpc-js'
import { monotonicMillis } from '../clock.js'
import type { Failed } from './errors.js'

// The calling side of a stream in lockstep (lockstep.ts).

/** A stream is as old as this at most: servers cut those of connections that grow old, and other replicas get their share. */
const LASTS_MILLIS = 20_000

type Awaited<Response> = { readonly resolve: (response: Response) => void; readonly reject: (error: Error) => void; readonly timer: NodeJS.Timeout }

type Opened<Request, Response> = { readonly stream: ClientDuplexStream<Request, Response>; readonly openedAt: number }

type Options<Request, Response> = {
  readonly open: () => ClientDuplexStream<Request, Response>
  readonly failure: (ended: Failed) => Error
  readonly now?: () => number
}

/** Asks one request at a time, on a stream that is opened when it is needed and again whenever it has ended. */
export class LockstepCall<Request, Response> {
  readonly #open: Options<Request, Response>['open']
  readonly #failure: Options<Request, Response>['failure']
  readonly #now: () => number
  #opened: Opened<Request, Response> | undefined
  #awaited: Awaited<Response> | undefined

  constructor({ open, failure, now = monotonicMillis }: Options<Request, Response>) {
    this.#open = open
    this.#failure = failure
    this.#now = now
  }

  /** Fails with what the server refused, or UNAVAILABLE where there was no answer in time. Asking again gives up what was asked before. */
  ask(request: Request, withinMillis: number): Promise<Response> {
    if (this.#awaited) this.close()
    const { stream } = this.#current()
    return new Promise((resolve, reject) => {
      this.#awaited = { resolve, reject, timer: setTimeout(() => this.close(), withinMillis) }
      stream.write(request)
    })
  }

  /** Gives up what is asked. */
  close(): void {
    const stream = this.#opened?.stream
    this.#opened = undefined
    stream?.cancel()
    this.#fail({ code: status.DEADLINE_EXCEEDED, details: 'given up' })
  }

  #current(): Opened<Request, Response> {
    const opened = this.#opened
    if (opened && this.#now() - opened.openedAt < LASTS_MILLIS) return opened
    opened?.stream.end()
    return (this.#opened = this.#listened(this.#open()))
  }

  #listened(stream: ClientDuplexStream<Request, Response>): Opened<Request, Response> {
    const opened = { stream, openedAt: this.#now() }
    stream.on('data', (response: Response) => {
      if (this.#opened === opened) this.#take()?.resolve(response)
    })
    // Of whatever kind, its end has a status too.
    stream.on('error', () => undefined)
    stream.on('status', (ended) => {
      if (this.#opened !== opened) return
      this.#opened = undefined
      this.#fail(ended)
    })
    return opened
  }

  #fail(ended: Failed): void {
    // A server that leaves ends with OK what it has not read yet.
    this.#take()?.reject(this.#failure(ended.code === status.OK ? { code: status.UNAVAILABLE, details: 'the server left' } : ended))
  }

  #take(): Awaited<Response> | undefined {
    const awaited = this.#awaited
    this.#awaited = undefined
    clearTimeout(awaited?.timer)
    return awaited
  }
}
