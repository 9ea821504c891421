import type { IContainer } from 'kubernetes-models/v1/Container'
import { environmentOf } from '../environment.js'
import { programOf } from '../programs.js'
import { perContainer, type Rule } from '../rule.js'

const PROBES = ['startupProbe', 'readinessProbe', 'livenessProbe'] as const
type ProbeName = (typeof PROBES)[number]

/** The names of libs/rpc/health.ts that are for Kubernetes; test/manifests asks the real server for them. */
const SERVICE: Readonly<Record<ProbeName, string>> = { startupProbe: 'liveness', readinessProbe: 'readiness', livenessProbe: 'liveness' }

const DEFAULT_PERIOD = 10
const DEFAULT_FAILURES = 3
const SLOWEST_START = 120
const LONGEST_PAUSE = 30

const hasAllProbes = perContainer('has-all-probes', ({ container, workload }) =>
  workload.kind === 'Job' ? undefined : PROBES.map((probe) => container[probe] === undefined && `add a ${probe}`),
)

const probesSpeakGrpc = perContainer('probes-speak-grpc', ({ container }) => {
  if (programOf(container)?.isService !== true) return undefined
  return PROBES.map((probe) => container[probe] !== undefined && container[probe].grpc === undefined && `${probe}: use grpc, which starts no process in the container`)
})

const probesAskTheHealthPort = perContainer('probes-ask-the-health-port', (placed, rendering) => {
  const { container } = placed
  const health = Number(environmentOf(rendering, placed).get('HEALTH_PORT'))
  return PROBES.map((probe) => {
    const port = container[probe]?.grpc?.port
    return port !== undefined && port !== health && `${probe}: set grpc.port to HEALTH_PORT (${health}): the other listeners want TLS, which a probe does not speak`
  })
})

const probesAskKnownServices = perContainer('probes-ask-known-services', ({ container }) =>
  PROBES.map((probe) => {
    const grpc = container[probe]?.grpc
    return grpc !== undefined && grpc.service !== SERVICE[probe] && `${probe}: set grpc.service to ${SERVICE[probe]}; the server does not say "${grpc.service ?? ''}" for that`
  }),
)

const secondsUntilFailure = (probe: IContainer[ProbeName]): number => (probe?.periodSeconds ?? DEFAULT_PERIOD) * (probe?.failureThreshold ?? DEFAULT_FAILURES)

const mayTakeItsTime = perContainer('may-take-its-time', ({ container }) => {
  if (programOf(container)?.isService !== true) return undefined
  const { startupProbe, livenessProbe } = container
  return [
    startupProbe && secondsUntilFailure(startupProbe) < SLOWEST_START && `startupProbe: give it ${SLOWEST_START} seconds (periodSeconds × failureThreshold): it may have to wait for migrations`,
    livenessProbe && secondsUntilFailure(livenessProbe) < LONGEST_PAUSE && `livenessProbe: give it ${LONGEST_PAUSE} seconds (periodSeconds × failureThreshold): a pause is not a death`,
  ]
})

export const probeRules: readonly Rule[] = [hasAllProbes, probesSpeakGrpc, probesAskTheHealthPort, probesAskKnownServices, mayTakeItsTime]
