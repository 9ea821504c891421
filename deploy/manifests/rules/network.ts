import type { INetworkPolicyPeer } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicyPeer'
import type { INetworkPolicyPort } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicyPort'
import { type INetworkPolicy, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import { Service } from 'kubernetes-models/v1/Service'
import { environmentOf } from '../environment.js'
import { programOf } from '../programs.js'
import { containersOf, ofKind, type Rendering, selects, type Workload } from '../rendering.js'
import { perContainer, perObject, type Rule, type Verdict } from '../rule.js'
import { podsBehind } from './references.js'

const DIRECTIONS = ['Ingress', 'Egress'] as const
type Direction = (typeof DIRECTIONS)[number]
/** What a policy lets through: which pods of its own, with whom, on which ports. */
type Opening = { readonly policy: INetworkPolicy; readonly peers: readonly INetworkPolicyPeer[]; readonly ports: readonly INetworkPolicyPort[] }

const openings = (rendering: Rendering, direction: Direction): Opening[] =>
  ofKind(rendering, NetworkPolicy.is).flatMap((policy) => openingsOf(policy, direction))

const openingsOf = (policy: INetworkPolicy, direction: Direction): Opening[] =>
  direction === 'Ingress'
    ? (policy.spec?.ingress ?? []).map(({ from = [], ports = [] }) => ({ policy, peers: from, ports }))
    : (policy.spec?.egress ?? []).map(({ to = [], ports = [] }) => ({ policy, peers: to, ports }))

const podsOf = (policy: INetworkPolicy, { workloads }: Rendering) => workloads.filter(({ labels }) => selects(policy.spec?.podSelector ?? {}, labels))

/** The pods of this namespace that a peer stands for. */
const podsAt = (peer: INetworkPolicyPeer, { workloads }: Rendering) =>
  peer.podSelector && !peer.namespaceSelector ? workloads.filter(({ labels }) => selects(peer.podSelector ?? {}, labels)) : []

const hasPort = ({ pod }: Workload, wanted: INetworkPolicyPort['port']) =>
  pod.containers.some(({ ports = [] }) => ports.some(({ name, containerPort }) => name === wanted || containerPort === wanted))

const deniesByDefault: Rule = {
  name: 'denies-by-default',
  find: (rendering) => {
    const denied = ofKind(rendering, NetworkPolicy.is).filter(({ spec }) => Object.keys(spec?.podSelector ?? {}).length === 0 && !spec?.ingress && !spec?.egress)
    const missing = DIRECTIONS.filter((direction) => !denied.some(({ spec }) => spec?.policyTypes?.includes(direction)))
    return missing.map((direction) => ({ object: 'NetworkPolicy/default-deny', message: `add a policy for all pods (podSelector: {}) with policyTypes [${direction}] and no rule` }))
  },
}

const policyHasPods = perObject('policy-has-pods', NetworkPolicy.is, (policy, rendering): Verdict[] => [
  podsOf(policy, rendering).length === 0 && 'let spec.podSelector match the pods of a workload',
  ...DIRECTIONS.flatMap((direction) =>
    openingsOf(policy, direction).flatMap(({ peers }) =>
      peers.map((peer) => peer.podSelector && !peer.namespaceSelector && podsAt(peer, rendering).length === 0 && `${direction}: let its podSelector match the pods of a workload`),
    ),
  ),
])

const policyPortIsThere = perObject('policy-port-is-there', NetworkPolicy.is, (policy, rendering): Verdict[] => {
  const inward = openingsOf(policy, 'Ingress').map(({ ports }) => ({ ports, pods: podsOf(policy, rendering) }))
  const outward = openingsOf(policy, 'Egress').map(({ ports, peers }) => ({ ports, pods: peers.flatMap((peer) => podsAt(peer, rendering)) }))
  return [...inward, ...outward].flatMap(({ ports, pods }) =>
    pods.flatMap((workload) => ports.map(({ port }) => !hasPort(workload, port) && `${workload.id} has no port ${port ?? ''}: change one or the other`)),
  )
})

const policyNamesItsPorts = perObject('policy-names-its-ports', NetworkPolicy.is, (policy) =>
  DIRECTIONS.flatMap((direction) =>
    openingsOf(policy, direction).map(({ ports }) => !ports.some(({ port }) => port !== undefined) && `${direction}: name the ports; without them all are open`),
  ),
)

type Edge = { readonly from: Workload; readonly to: Workload; readonly port: INetworkPolicyPort['port'] }

/** Whether a policy lets `from` out to `to` (Egress), or `to` let `from` in (Ingress). */
function lets(rendering: Rendering, direction: Direction, { from, to, port }: Edge): boolean {
  const [own, other] = direction === 'Ingress' ? [to, from] : [from, to]
  return openings(rendering, direction).some(({ policy, peers, ports }) => {
    const isOpen = peers.length === 0 || peers.some((peer) => podsAt(peer, rendering).includes(other))
    return podsOf(policy, rendering).includes(own) && isOpen && ports.some((one) => one.port === port)
  })
}

/** What a policy says about two workloads of this namespace. */
const edgesOf = (policy: INetworkPolicy, direction: Direction, rendering: Rendering): Edge[] =>
  openingsOf(policy, direction).flatMap(({ peers, ports }) =>
    podsOf(policy, rendering).flatMap((own) =>
      peers.flatMap((peer) => podsAt(peer, rendering)).flatMap((other) =>
        ports.map(({ port }) => (direction === 'Ingress' ? { from: other, to: own, port } : { from: own, to: other, port })),
      ),
    ),
  )

const edgesMeet = perObject('edges-meet', NetworkPolicy.is, (policy, rendering) =>
  DIRECTIONS.flatMap((direction) => {
    const opposite = direction === 'Ingress' ? 'Egress' : 'Ingress'
    const halves = edgesOf(policy, direction, rendering).filter((edge) => hasPort(edge.to, edge.port) && !lets(rendering, opposite, edge))
    return halves.map(({ from, to, port }) => `add the other half: no policy has ${opposite} from ${from.id} to ${to.id} on ${port ?? ''}`)
  }),
)

/** The peers that it is given as `dns:///NAME:PORT`. */
const peersOf = (environment: ReadonlyMap<string, string | undefined>) =>
  [...environment].flatMap(([name, value = '']) => {
    const [, host = '', port] = (name.endsWith('_ADDRESS') && /^(?:dns:\/\/\/)?([a-z0-9.-]+):(\d+)$/.exec(value)) || []
    return port === undefined ? [] : [{ name, host, port: Number(port) }]
  })

const peersAreReached = perContainer('peers-are-reached', ({ container, workload: from }, rendering): Verdict[] => {
  if (!programOf(container)) return []
  return peersOf(environmentOf(rendering, container)).flatMap(({ name, host, port }) => {
    const service = ofKind(rendering, Service.is).find(({ metadata }) => metadata?.name === host)
    const published = service?.spec?.ports?.find((one) => one.port === port)
    if (!service || !published) return [`${name}: there is no Service ${host} with a port ${port}`]
    return podsBehind(service, rendering).map((to) => {
      const numbers = to.pod.containers.flatMap(({ ports = [] }) => ports.filter((one) => [one.name, one.containerPort].includes(published.targetPort ?? port)))
      const isLet = numbers.some(({ containerPort }) => lets(rendering, 'Egress', { from, to, port: containerPort }))
      return numbers.length > 0 && !isLet && `${name}: no NetworkPolicy lets it out to ${to.id} on ${port}`
    })
  })
})

const operationsGetIn: Rule = {
  name: 'operations-get-in',
  find: (rendering) =>
    rendering.workloads.flatMap((workload) =>
      containersOf(workload).flatMap(({ container }) =>
        (container.ports ?? [])
          .filter(({ name }) => programOf(container)?.isService === true && (name === 'metrics' || name === 'health'))
          .filter(({ containerPort }) => !openings(rendering, 'Ingress').some(({ policy, ports }) => podsOf(policy, rendering).includes(workload) && ports.some(({ port }) => port === containerPort)))
          .map(({ name, containerPort }) => ({ object: workload.id, message: `add a NetworkPolicy that lets somebody in to ${name ?? ''} (${containerPort})` })),
      ),
    ),
}

export const networkRules: readonly Rule[] = [deniesByDefault, policyHasPods, policyPortIsThere, policyNamesItsPorts, edgesMeet, peersAreReached, operationsGetIn]
