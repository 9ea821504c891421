import type { INetworkPolicyPeer } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicyPeer'
import type { INetworkPolicyPort } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicyPort'
import { type INetworkPolicy, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import { Namespace } from 'kubernetes-models/v1/Namespace'
import { type Labels, namespaceOf, ofKind, type Rendering, selects, type Workload } from './rendering.js'

// What network policies open, and between which of the pods that are rendered.

export const DIRECTIONS = ['Ingress', 'Egress'] as const
export type Direction = (typeof DIRECTIONS)[number]

/** What a policy lets through: which pods of its own, with whom, on which ports. */
export type Opening = { readonly policy: INetworkPolicy; readonly peers: readonly INetworkPolicyPeer[]; readonly ports: readonly INetworkPolicyPort[] }

export const openings = (rendering: Rendering, direction: Direction): Opening[] =>
  ofKind(rendering, NetworkPolicy.is).flatMap((policy) => openingsOf(policy, direction))

export const openingsOf = (policy: INetworkPolicy, direction: Direction): Opening[] =>
  direction === 'Ingress'
    ? (policy.spec?.ingress ?? []).map(({ from = [], ports = [] }) => ({ policy, peers: from, ports }))
    : (policy.spec?.egress ?? []).map(({ to = [], ports = [] }) => ({ policy, peers: to, ports }))

/** Those that a policy is for. */
export const podsOf = (policy: INetworkPolicy, { workloads }: Rendering): Workload[] =>
  workloads.filter(({ namespace, labels }) => namespace === namespaceOf(policy) && selects(policy.spec?.podSelector ?? {}, labels))

/** As Kubernetes has them: every namespace is labelled with its name. */
const namespacesOf = (rendering: Rendering): ReadonlyMap<string, Labels> =>
  new Map(ofKind(rendering, Namespace.is).map(({ metadata: { name = '', labels = {} } = {} }) => [name, { ...labels, 'kubernetes.io/metadata.name': name }]))

/** The namespaces of this rendering that a peer of a policy stands for. */
export function namespacesAt(policy: INetworkPolicy, { namespaceSelector }: INetworkPolicyPeer, rendering: Rendering): string[] {
  if (!namespaceSelector) return [namespaceOf(policy)]
  return [...namespacesOf(rendering)].filter(([, labels]) => selects(namespaceSelector, labels)).map(([name]) => name)
}

/** The pods that a peer of a policy names; one that stands for whole namespaces names none. */
export function podsAt(policy: INetworkPolicy, peer: INetworkPolicyPeer, rendering: Rendering): Workload[] {
  const { podSelector } = peer
  if (!podSelector) return []
  const namespaces = namespacesAt(policy, peer, rendering)
  return rendering.workloads.filter(({ namespace, labels }) => namespaces.includes(namespace) && selects(podSelector, labels))
}

export type Edge = { readonly from: Workload; readonly to: Workload; readonly port: INetworkPolicyPort['port'] }

/** Whether a policy lets `from` out to `to` (Egress), or `to` let `from` in (Ingress). */
export function lets(rendering: Rendering, direction: Direction, { from, to, port }: Edge): boolean {
  const [own, other] = direction === 'Ingress' ? [to, from] : [from, to]
  return openings(rendering, direction).some(({ policy, peers, ports }) => {
    const isOpen = peers.length === 0 || peers.some((peer) => podsAt(policy, peer, rendering).includes(other))
    return podsOf(policy, rendering).includes(own) && isOpen && ports.some((one) => one.port === port)
  })
}

/** What a policy says about two workloads of this rendering. */
export const edgesOf = (policy: INetworkPolicy, direction: Direction, rendering: Rendering): Edge[] =>
  openingsOf(policy, direction).flatMap(({ peers, ports }) =>
    podsOf(policy, rendering).flatMap((own) =>
      peers.flatMap((peer) => podsAt(policy, peer, rendering)).flatMap((other) =>
        ports.map(({ port }) => (direction === 'Ingress' ? { from: other, to: own, port } : { from: own, to: other, port })),
      ),
    ),
  )
