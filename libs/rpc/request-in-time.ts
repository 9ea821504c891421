import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js'
import { deadlineOf, outOfTime, remainingMillis } from './deadline.js'
import { toStatus } from './errors.js'
import { traceOf } from './trace.js'

type GivenCall = Parameters<ServerInterceptor>[1]
type Listener = Parameters<GivenCall['start']>[0]
type Parameter<Method extends keyof GivenCall> = Parameters<GivenCall[Method]>

/** Ends a unary call whose request is not whole in time: no handler has started that would keep to the deadline. */
export const requestInTime =
  (maxMillis: number): ServerInterceptor =>
  ({ requestStream, responseStream }, call) =>
    new TimedCall(call, requestStream || responseStream ? Infinity : maxMillis)

class TimedCall extends ServerInterceptingCall {
  constructor(
    private readonly call: GivenCall,
    private readonly maxMillis: number,
  ) {
    super(call)
  }

  override start(listener: Listener): void {
    // At an earlier deadline of the caller grpc-js ends the call by itself.
    const isBounded = this.maxMillis === Infinity || remainingMillis(deadlineOf(this.call.getDeadline(), Infinity)) <= this.maxMillis
    this.call.start(isBounded ? listener : this.timed(listener))
  }

  private timed(listener: Listener): Listener {
    let timer: NodeJS.Timeout | undefined
    return {
      onReceiveMetadata: (metadata) => {
        timer = setTimeout(() => this.call.sendStatus(toStatus(outOfTime(), traceOf(metadata).requestId)), this.maxMillis)
        listener.onReceiveMetadata(metadata)
      },
      onReceiveMessage: (message: unknown) => listener.onReceiveMessage(message),
      onReceiveHalfClose: () => {
        clearTimeout(timer)
        listener.onReceiveHalfClose()
      },
      onCancel: () => {
        clearTimeout(timer)
        listener.onCancel()
      },
    }
  }

  // The base class would carry each of these through a chain of its own, which costs every call.
  override sendMetadata(...given: Parameter<'sendMetadata'>): void {
    this.call.sendMetadata(...given)
  }

  override sendMessage(...given: Parameter<'sendMessage'>): void {
    this.call.sendMessage(...given)
  }

  override sendStatus(...given: Parameter<'sendStatus'>): void {
    this.call.sendStatus(...given)
  }
}
