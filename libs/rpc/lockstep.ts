import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js'
import { NO_METRICS } from '../metrics/rpc.js'
import { toStatus } from './errors.js'
import { logCall } from './request-log.js'
import { type AdapterOptions, AnsweredCall, type Call, defaultLimits, loggedRefusal, overloaded, unreadable } from './unary.js'

// Streams in lockstep: each request is answered before the next is read. For what one caller asks over and over: a message
// on a stream costs a fraction of a call.

/** Answers the requests of one stream; refusing one ends the stream. */
export type Answering<Request, Response> = (request: Request) => Promise<Response>

/** Makes what grpc-js wants. `begin` sees the call before its first request, and may refuse it. */
export type LockstepAdapter = <Request, Response>(begin: (call: Call) => Answering<Request, Response>) => handleBidiStreamingCall<Request, Response>

export type LockstepStreams = {
  readonly adapter: LockstepAdapter
  /** Ends all of them, each once what it was asked is answered. */
  end(): void
}

export function lockstepStreams(options: AdapterOptions): LockstepStreams {
  const open = new Set<{ leave(): void }>()
  return {
    adapter: (begin) => (stream) => {
      const one = new LockstepStream(stream, options, () => open.delete(one))
      open.add(one)
      one.answer(begin, open.size)
    },
    end: () => {
      for (const one of open) one.leave()
    },
  }
}

class LockstepStream<Request, Response> {
  readonly #call: AnsweredCall
  readonly #ended: (status: string) => void
  #isAnswering = false
  #isLeaving = false
  #isOver = false

  constructor(
    private readonly stream: ServerDuplexStream<Request, Response>,
    private readonly options: AdapterOptions,
    private readonly onOver: () => void,
  ) {
    this.#call = new AnsweredCall(stream, Infinity)
    this.#ended = (options.metrics ?? NO_METRICS).begun(stream.getPath())
  }

  answer(begin: (call: Call) => Answering<Request, Response>, openStreams: number): void {
    const { stream } = this
    const { maxInFlight, maxMetadataBytes } = this.options.limits ?? defaultLimits
    stream.on('cancelled', () => this.#over('CANCELLED'))
    stream.on('error', () => undefined)
    stream.on('end', () => this.leave())
    try {
      const refused = openStreams > maxInFlight ? overloaded() : unreadable({ request: undefined, metadata: stream.metadata }, maxMetadataBytes)
      if (refused) throw refused
      const answering = begin(this.#call)
      stream.on('data', (request: Request) => {
        this.#answerOne(answering, request).catch((error: unknown) => this.#refuse(error))
      })
    } catch (error) {
      this.#refuse(error)
    }
  }

  leave(): void {
    this.#isLeaving = true
    if (this.#isAnswering || this.#isOver) return
    this.#over('OK')
    this.stream.end()
  }

  async #answerOne(answering: Answering<Request, Response>, request: Request): Promise<void> {
    const refused = unreadable({ request, metadata: this.stream.metadata }, Infinity)
    if (refused) throw refused
    this.#isAnswering = true
    this.stream.pause()
    const response = await answering(request)
    this.#isAnswering = false
    if (this.#isOver) return
    const isTaken = this.stream.write(response)
    if (this.#isLeaving) this.leave()
    else if (isTaken) this.stream.resume()
    // Whoever does not read its answers gets no more of them.
    else this.stream.once('drain', () => this.stream.resume())
  }

  #refuse(error: unknown): void {
    if (this.#isOver) return
    const refusal = loggedRefusal(error, this.options.log, this.#call)
    this.stream.emit('error', toStatus(refusal, this.#call.trace.requestId))
    this.#over(refusal.kind)
    logCall(this.options.log, this.#call, refusal)
  }

  #over(status: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.onOver()
    this.#ended(status)
  }
}
