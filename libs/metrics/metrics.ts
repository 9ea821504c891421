import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Certificates } from '../certificates.js'
import { monotonicMillis } from '../clock.js'
import { type FreshnessMetrics, freshnessMetrics } from './freshness.js'
import { type RpcMetrics, rpcMetrics } from './rpc.js'
import { type ServiceMetrics, serviceMetrics } from './service.js'
import { productVersion } from '../version.js'

// What an operator can watch; docs/metrics.md names all of it. Labels are names of ours, never an id.

export type Metrics = FreshnessMetrics & ServiceMetrics & {
  readonly rpc: RpcMetrics
  /** Adds those of the process. They keep a timer of their own going, so only where somebody reads them. */
  watchProcess(): void
  /** In the text format of Prometheus. */
  text(): Promise<string>
}

/** Those of this product. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const updates: (() => void)[] = []
  const onScrape = (update: () => void) => void updates.push(update)
  const build = { name: 'countersign_build_info', help: 'Always 1; the version is in the label.', labelNames: ['version'], registers: [registry] }
  new Gauge(build).set({ version: productVersion() }, 1)
  return {
    ...freshnessMetrics(registry, onScrape),
    ...serviceMetrics(registry, onScrape),
    rpc: rpcMetrics(registry, monotonicMillis),
    watchProcess: () => collectDefaultMetrics({ register: registry }),
    text: () => {
      for (const update of updates) update()
      return registry.metrics()
    },
  }
}

type MetricsConfig = { readonly HOST: string; readonly METRICS_PORT?: number | undefined }

/** Serves the metrics of a service, if it is to; answers with how to stop. */
export async function openMetrics(metrics: Metrics, { HOST: host, METRICS_PORT: port }: MetricsConfig, certificates: Certificates | undefined): Promise<() => Promise<void>> {
  if (certificates) metrics.moment('certificate_expire_time', () => certificates.expireTime())
  if (port === undefined) return () => Promise.resolve()
  metrics.watchProcess()
  return (await serveMetrics(metrics, { host, port })).close
}

/** Serves `GET /metrics` on a port, 0 for a free one. Answers with the port and how to stop. */
export async function serveMetrics(metrics: Metrics, address: { host: string; port: number }): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics' || request.method !== 'GET') {
      response.writeHead(404).end()
      return
    }
    metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text),
      () => response.writeHead(500).end(),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(address.port, address.host, resolve)
  })
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { port: portOf(server.address()), close }
}

const portOf = (address: AddressInfo | string | null): number => (address !== null && typeof address === 'object' ? address.port : 0)
