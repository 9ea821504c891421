import { type AskingListener, type EnvoyConfig, problemsOfRoute, readEnvoyConfig, type ReadEnvoyConfig } from '../envoy-config.js'
import { fileAt } from '../environment.js'
import { containersOf, type PlacedContainer, type Rendering } from '../rendering.js'
import { perContainer, type Rule, type Verdict } from '../rule.js'
import { socketOf } from './sidecar.js'

// Envoy in front of an application, configured by a file of a ConfigMap.

const SLOWEST_ANSWER_SECONDS = 1

function configOf(placed: PlacedContainer, rendering: Rendering): ReadEnvoyConfig | undefined {
  const words = [...(placed.container.command ?? []), ...(placed.container.args ?? [])]
  const path = words[words.findIndex((word) => word === '--config-path' || word === '-c') + 1]
  if (!placed.container.image?.includes('envoyproxy/envoy') || path === undefined) return undefined
  const file = fileAt(rendering, placed, path)
  if ('problem' in file) return { problem: file.problem }
  return file.content === undefined ? undefined : readEnvoyConfig(file.content)
}

const envoyIsRead = perContainer('envoy-is-read', (placed, rendering) => {
  const read = configOf(placed, rendering)
  return read && 'problem' in read && `its configuration can't be read: ${read.problem}`
})

type Asking = { readonly listener: AskingListener; readonly config: EnvoyConfig; readonly placed: PlacedContainer; readonly rendering: Rendering }

const perAsking = (name: string, judge: (asking: Asking) => readonly Verdict[]): Rule =>
  perContainer(name, (placed, rendering) => {
    const read = configOf(placed, rendering)
    if (!read || 'problem' in read) return undefined
    return read.config.asking.flatMap((listener) =>
      judge({ listener, config: read.config, placed, rendering }).map((said) => typeof said === 'string' && `listener ${listener.name}: ${said}`),
    )
  })

const envoyFailsClosed = perAsking('envoy-fails-closed', ({ listener: { filter } }) => {
  const [, seconds = 'never'] = /^(\d+(?:\.\d+)?)s$/.exec(filter.grpc_service.timeout ?? '') ?? []
  return [
    filter.failure_mode_allow !== false && 'set failure_mode_allow to false: who can keep the answer away may do anything otherwise',
    filter.status_on_error?.code !== 'ServiceUnavailable' && 'set status_on_error to ServiceUnavailable: that nobody answered is no denial',
    !(Number(seconds) <= SLOWEST_ANSWER_SECONDS) && `set grpc_service.timeout to ${SLOWEST_ANSWER_SECONDS}s or less`,
  ]
})

const envoyAsksItsSidecar = perAsking('envoy-asks-its-sidecar', ({ listener: { filter }, config, placed, rendering }) => {
  const asked = config.socketOf(filter.grpc_service.envoy_grpc.cluster_name)
  const there = containersOf(placed.workload).flatMap((other) => socketOf(other, rendering) ?? [])
  return [asked !== undefined && !there.includes(asked) && `no container of the pod listens on ${asked}`]
})

const envoyHasOneSpelling = perAsking('envoy-has-one-spelling', ({ listener: { manager } }) => [
  (manager.normalize_path !== true || manager.merge_slashes !== true || manager.path_with_escaped_slashes_action !== 'REJECT_REQUEST') &&
    'set normalize_path, merge_slashes and path_with_escaped_slashes_action: REJECT_REQUEST, so that the path that is judged is the path that is served',
])

const routesSayWhatIsAsked = perAsking('routes-say-what-is-asked', ({ listener: { manager } }) =>
  manager.route_config.virtual_hosts.flatMap((host) => host.routes.flatMap((route) => problemsOfRoute(route, host).map((problem) => `${JSON.stringify(route.match)}: ${problem}`))),
)

export const envoyRules: readonly Rule[] = [envoyIsRead, envoyFailsClosed, envoyAsksItsSidecar, envoyHasOneSpelling, routesSayWhatIsAsked]
