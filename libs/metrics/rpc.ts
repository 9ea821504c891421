import { Gauge, Histogram, type Registry } from 'prom-client'

// Calls as OpenTelemetry names them (semantic conventions for RPC): seconds, by method and by how they ended.

export type RpcMetrics = {
  /** A call has begun; what it answers with says how it ended: the name of a gRPC status. */
  begun(path: string): (status: string) => void
}

/** For whoever is asked for no metrics. */
export const NO_METRICS: RpcMetrics = { begun: () => () => undefined }

const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function rpcMetrics(registry: Registry, monotonicMillis: () => number): RpcMetrics {
  const registers = [registry]
  const duration = new Histogram({
    name: 'rpc_server_call_duration_seconds',
    help: 'How long calls took that were answered here, by method and by the name of their gRPC status.',
    labelNames: ['rpc_method', 'rpc_response_status_code'],
    buckets: BUCKETS,
    registers,
  })
  const active = new Gauge({ name: 'countersign_rpc_calls_in_flight', help: 'Calls that are being answered.', registers })
  // Looked up once for each pair, since a look-up by names costs more than a check may.
  const known = new Map<string, Map<string, { observe(seconds: number): void }>>()
  const observerOf = (path: string, status: string) => {
    const ofMethod = known.get(path) ?? new Map<string, { observe(seconds: number): void }>()
    const found = ofMethod.get(status) ?? duration.labels({ rpc_method: path.slice(1), rpc_response_status_code: status })
    known.set(path, ofMethod.set(status, found))
    return found
  }
  return {
    begun: (path) => {
      const at = monotonicMillis()
      active.inc()
      return (status) => {
        active.dec()
        observerOf(path, status).observe((monotonicMillis() - at) / 1000)
      }
    },
  }
}
