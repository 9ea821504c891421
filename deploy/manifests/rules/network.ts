import type { INetworkPolicyPort } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicyPort'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import { Service } from 'kubernetes-models/v1/Service'
import { environmentOf } from '../environment.js'
import { DIRECTIONS, edgesOf, lets, namespacesAt, openings, openingsOf, podsAt, podsOf } from '../policies.js'
import { programOf } from '../programs.js'
import { containersOf, isAt, namespaceOf, ofKind, type Place, portsOf, type Rendering, type Workload } from '../rendering.js'
import { perContainer, perObject, type Rule, type Verdict } from '../rule.js'
import { podsBehind } from './references.js'

const hasPort = (workload: Workload, wanted: INetworkPolicyPort['port']) => portsOf(workload).some(({ name, containerPort }) => name === wanted || containerPort === wanted)

const deniesByDefault: Rule = {
  name: 'denies-by-default',
  find: (rendering) => {
    const denied = ofKind(rendering, NetworkPolicy.is).filter(({ spec }) => Object.keys(spec?.podSelector ?? {}).length === 0 && !spec?.ingress && !spec?.egress)
    return [...new Set(rendering.workloads.map(({ namespace }) => namespace))].flatMap((namespace) => {
      const missing = DIRECTIONS.filter((direction) => !denied.some((policy) => namespaceOf(policy) === namespace && policy.spec?.policyTypes?.includes(direction)))
      return missing.map((direction) => ({
        object: 'NetworkPolicy/default-deny',
        message: `add a policy for all pods of ${namespace} (podSelector: {}) with policyTypes [${direction}] and no rule`,
      }))
    })
  },
}

/** A peer elsewhere is judged where its namespace is rendered too. */
const policyHasPods = perObject('policy-has-pods', NetworkPolicy.is, (policy, rendering): Verdict[] => [
  podsOf(policy, rendering).length === 0 && 'let spec.podSelector match the pods of a workload',
  ...DIRECTIONS.flatMap((direction) =>
    openingsOf(policy, direction).flatMap(({ peers }) =>
      peers.map((peer) => {
        const isKnown = peer.podSelector && namespacesAt(policy, peer, rendering).length > 0
        return isKnown && podsAt(policy, peer, rendering).length === 0 && `${direction}: let its podSelector match the pods of a workload`
      }),
    ),
  ),
])

const policyPortIsThere = perObject('policy-port-is-there', NetworkPolicy.is, (policy, rendering): Verdict[] => {
  const inward = openingsOf(policy, 'Ingress').map(({ ports }) => ({ ports, pods: podsOf(policy, rendering) }))
  const outward = openingsOf(policy, 'Egress').map(({ ports, peers }) => ({ ports, pods: peers.flatMap((peer) => podsAt(policy, peer, rendering)) }))
  return [...inward, ...outward].flatMap(({ ports, pods }) =>
    pods.flatMap((workload) => ports.map(({ port }) => !hasPort(workload, port) && `${workload.id} has no port ${port ?? ''}: change one or the other`)),
  )
})

const policyNamesItsPorts = perObject('policy-names-its-ports', NetworkPolicy.is, (policy) =>
  DIRECTIONS.flatMap((direction) =>
    openingsOf(policy, direction).map(({ ports }) => !ports.some(({ port }) => port !== undefined) && `${direction}: name the ports; without them all are open`),
  ),
)

const edgesMeet = perObject('edges-meet', NetworkPolicy.is, (policy, rendering) =>
  DIRECTIONS.flatMap((direction) => {
    const opposite = direction === 'Ingress' ? 'Egress' : 'Ingress'
    const halves = edgesOf(policy, direction, rendering).filter((edge) => hasPort(edge.to, edge.port) && !lets(rendering, opposite, edge))
    return halves.map(({ from, to, port }) => `add the other half: no policy has ${opposite} from ${from.id} to ${to.id} on ${port ?? ''}`)
  }),
)

type Peer = { readonly variable: string; readonly place: Place; readonly port: number }

/** The peers that it is given as `dns:///NAME:PORT`, or as `dns:///NAME.NAMESPACE.svc.cluster.local:PORT` where they are elsewhere. */
const peersOf = (environment: ReadonlyMap<string, string | undefined>, own: string): Peer[] =>
  [...environment].flatMap(([variable, value = '']) => {
    const [, name = '', namespace = own, port] =
      (variable.endsWith('_ADDRESS') && /^(?:dns:\/\/\/)?([a-z0-9-]+)(?:\.([a-z0-9-]+)(?:\.svc(?:\.cluster\.local)?)?)?:(\d+)$/.exec(value)) || []
    return port === undefined ? [] : [{ variable, place: { namespace, name }, port: Number(port) }]
  })

const peersAreReached = perContainer('peers-are-reached', (placed, rendering): Verdict[] => {
  const { container, workload } = placed
  if (!programOf(container)) return []
  return peersOf(environmentOf(rendering, placed), workload.namespace)
    .filter(({ place }) => !rendering.target.outside.includes(place.namespace))
    .flatMap((peer) => verdictsOn(peer, workload, rendering))
})

function verdictsOn({ variable, place, port }: Peer, from: Workload, rendering: Rendering): Verdict[] {
  const service = ofKind(rendering, Service.is).find(isAt(place))
  const published = service?.spec?.ports?.find((one) => one.port === port)
  if (!service || !published) return [`${variable}: there is no Service ${place.name} in ${place.namespace} with a port ${port}`]
  return podsBehind(service, rendering).map((to) => {
    const numbers = portsOf(to).filter((one) => [one.name, one.containerPort].includes(published.targetPort ?? port))
    const isLet = numbers.some(({ containerPort }) => lets(rendering, 'Egress', { from, to, port: containerPort }))
    return numbers.length > 0 && !isLet && `${variable}: no NetworkPolicy lets it out to ${to.id} on ${port}`
  })
}

const operationsGetIn: Rule = {
  name: 'operations-get-in',
  find: (rendering) =>
    rendering.workloads.flatMap((workload) =>
      containersOf(workload).flatMap(({ container }) =>
        (container.ports ?? [])
          .filter(({ name = '' }) => programOf(container)?.isService === true && /(?:^|-)(?:metrics|health)$/.test(name))
          .filter(({ containerPort }) => !openings(rendering, 'Ingress').some(({ policy, ports }) => podsOf(policy, rendering).includes(workload) && ports.some(({ port }) => port === containerPort)))
          .map(({ name, containerPort }) => ({ object: workload.id, message: `add a NetworkPolicy that lets somebody in to ${name ?? ''} (${containerPort})` })),
      ),
    ),
}

export const networkRules: readonly Rule[] = [deniesByDefault, policyHasPods, policyPortIsThere, policyNamesItsPorts, edgesMeet, peersAreReached, operationsGetIn]
