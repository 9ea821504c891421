import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet'
import { Job } from 'kubernetes-models/batch/v1/Job'
import type { INetworkPolicySpec } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicySpec'
import type { IContainer } from 'kubernetes-models/v1/Container'
import type { IContainerPort } from 'kubernetes-models/v1/ContainerPort'
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec'
import type { KubernetesObject } from './schema.js'
import type { Target } from './targets.js'

export type Labels = Readonly<Record<string, string>>
export type Selector = INetworkPolicySpec['podSelector']

/** What makes pods, and the pods it makes. */
export type Workload = {
  readonly id: string
  readonly name: string
  readonly namespace: string
  readonly kind: string
  readonly labels: Labels
  readonly annotations: Labels
  readonly pod: IPodSpec
}

/** A name, and where it is looked for: what is in one namespace is not there for another. */
export type Place = { readonly namespace: string; readonly name: string }

/** One container of a workload; init containers are containers too. */
export type PlacedContainer = { readonly workload: Workload; readonly container: IContainer }

/** All objects of one target, whose shapes are right. */
export type Rendering = { readonly target: Target; readonly objects: readonly KubernetesObject[]; readonly workloads: readonly Workload[] }

export const namespaceOf = ({ metadata }: { readonly metadata?: { readonly namespace?: string | undefined } }): string => metadata?.namespace ?? ''

export const isAt = ({ namespace, name }: Place) => (object: { readonly metadata?: { readonly name?: string; readonly namespace?: string | undefined } }): boolean =>
  object.metadata?.name === name && namespaceOf(object) === namespace

export const idOf = ({ kind, metadata }: { readonly kind: string; readonly metadata?: { readonly name?: string } }): string => `${kind}/${metadata?.name ?? ''}`

export const renderingOf = (target: Target, objects: readonly KubernetesObject[]): Rendering => ({ target, objects, workloads: objects.flatMap(workloadsOf) })

function workloadsOf(object: KubernetesObject): Workload[] {
  const makesPods = Deployment.is(object) || StatefulSet.is(object) || Job.is(object)
  const template = makesPods ? object.spec?.template : undefined
  if (!template?.spec) return []
  const { labels = {}, annotations = {} } = template.metadata ?? {}
  return [{ id: idOf(object), name: object.metadata.name, namespace: namespaceOf(object), kind: object.kind, labels, annotations, pod: template.spec }]
}

export const containersOf = (workload: Workload): PlacedContainer[] =>
  [...(workload.pod.initContainers ?? []), ...workload.pod.containers].map((container) => ({ workload, container }))

/** Those of every container: a native sidecar is an init container that stays. */
export const portsOf = (workload: Workload): IContainerPort[] => containersOf(workload).flatMap(({ container: { ports = [] } }) => ports)

/** The objects of one kind: `ofKind(rendering, Service.is)`. */
export const ofKind = <Kind>({ objects }: Rendering, is: (object: unknown) => object is Kind): Kind[] => objects.flatMap((object) => (is(object) ? [object] : []))

export function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  const named = Object.entries(matchLabels).every(([name, value]) => labels[name] === value)
  return named && matchExpressions.every(({ key, operator, values = [] }) => holds(operator, labels[key], values))
}

function holds(operator: string, value: string | undefined, values: readonly string[]): boolean {
  const isIn = value !== undefined && values.includes(value)
  if (operator === 'In') return isIn
  if (operator === 'NotIn') return !isIn
  return operator === 'Exists' ? value !== undefined : value === undefined
}
