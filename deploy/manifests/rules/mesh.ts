import { Service } from 'kubernetes-models/v1/Service'
import type { z } from 'zod'
import { problemsOfRoute } from '../envoy-config.js'
import { authorizationPolicy, destinationRule, envoyFilter, serviceEntry } from '../mesh-kinds.js'
import { programOf } from '../programs.js'
import { containersOf, idOf, namespaceOf, ofKind, type Rendering, selects, type Workload } from '../rendering.js'
import type { Finding, Rule, Verdict } from '../rule.js'
import { podsBehind } from './references.js'
import { socketOf } from './sidecar.js'

// A mesh that asks authorization-check before it lets a request in.

type MeshObject = { readonly kind: string; readonly metadata: { readonly name: string; readonly namespace: string } }

const perMeshObject = <Kind extends MeshObject>(name: string, schema: z.ZodType<Kind>, judge: (object: Kind, rendering: Rendering) => readonly Verdict[]): Rule => ({
  name,
  find: (rendering) =>
    rendering.objects.flatMap((one): Finding[] => {
      const object = schema.safeParse(one).data
      return object ? judge(object, rendering).flatMap((message) => (typeof message === 'string' ? [{ object: idOf(object), message }] : [])) : []
    }),
})

const podsOf = (object: MeshObject, labels: Readonly<Record<string, string>>, { workloads }: Rendering): Workload[] =>
  workloads.filter((workload) => workload.namespace === namespaceOf(object) && selects({ matchLabels: labels }, workload.labels))

const hasSocket = (workload: Workload, rendering: Rendering) => containersOf(workload).some((placed) => socketOf(placed, rendering) !== undefined)
const isOurs = (workload: Workload) => workload.pod.containers.some((container) => programOf(container)?.isService === true)

const meshAsksWhereThereIsASidecar = perMeshObject('mesh-asks-where-there-is-a-sidecar', authorizationPolicy, (policy, rendering) => {
  const pods = podsOf(policy, policy.spec.selector?.matchLabels ?? {}, rendering)
  return [
    pods.length === 0 && 'let spec.selector match the pods of a workload',
    pods.some(isOurs) && 'leave our own services out by spec.selector: authorization-check would wait for itself',
    ...pods.filter((pod) => !isOurs(pod)).map((pod) => !hasSocket(pod, rendering) && `${pod.id} has no sidecar to ask, so all of its requests are refused: narrow spec.selector`),
  ]
})

const meshFindsTheSocket = perMeshObject('mesh-finds-the-socket', serviceEntry, ({ metadata: { namespace }, spec }, rendering) => {
  const sockets = rendering.workloads.filter((workload) => workload.namespace === namespace).flatMap(containersOf).flatMap((placed) => socketOf(placed, rendering) ?? [])
  return [
    ...spec.endpoints.map(({ address }) => !sockets.some((socket) => address === `unix://${socket}`) && `${address} is no socket that a sidecar listens on`),
    ...spec.ports.map(({ protocol }) => protocol !== 'GRPC' && 'set protocol to GRPC: the socket speaks HTTP/2 and nothing else'),
  ]
})

const meshKnowsTheHost = perMeshObject('mesh-knows-the-host', destinationRule, ({ metadata: { namespace }, spec }, rendering) => {
  const entries = rendering.objects.flatMap((object) => (namespaceOf(object) === namespace ? (serviceEntry.safeParse(object).data ?? []) : []))
  return [
    !entries.some((entry) => entry.spec.hosts.includes(spec.host)) && `there is no ServiceEntry for ${spec.host}`,
    spec.trafficPolicy.tls.mode !== 'DISABLE' && 'set tls.mode to DISABLE: the socket speaks plain text',
  ]
})

const meshRoutesSayWhatIsAsked = perMeshObject('mesh-routes-say-what-is-asked', envoyFilter, (filter, rendering) => {
  const pods = podsOf(filter, filter.spec.workloadSelector.labels, rendering)
  const ports = ofKind(rendering, Service.is)
    .filter((service) => podsBehind(service, rendering).some((pod) => pods.includes(pod)))
    .flatMap(({ spec }) => (spec?.ports ?? []).map(({ port }) => port))
  const patched = filter.spec.configPatches.map(({ match }) => Number(match.routeConfiguration.vhost.name.split('|')[2]))
  return [
    pods.length === 0 && 'let spec.workloadSelector match the pods of a workload',
    ...patched.filter((port) => pods.length > 0 && !ports.includes(port)).map((port) => `no Service of these pods has the port ${port}, so this patch is for nothing`),
    ...ports.filter((port) => !patched.includes(port)).map((port) => `add a patch for inbound|http|${port}: its requests are refused without`),
    ...filter.spec.configPatches.flatMap(({ patch }) => problemsOfRoute(patch.value)),
  ]
})

export const meshRules: readonly Rule[] = [meshAsksWhereThereIsASidecar, meshFindsTheSocket, meshKnowsTheHost, meshRoutesSayWhatIsAsked]
