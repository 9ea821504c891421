import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet'
import { Job } from 'kubernetes-models/batch/v1/Job'
import type { INetworkPolicySpec } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicySpec'
import type { IContainer } from 'kubernetes-models/v1/Container'
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec'
import type { KubernetesObject } from './schema.js'
import type { Target } from './targets.js'

export type Labels = Readonly<Record<string, string>>
export type Selector = INetworkPolicySpec['podSelector']

/** What makes pods, and the pods it makes. */
export type Workload = { readonly id: string; readonly name: string; readonly kind: string; readonly labels: Labels; readonly pod: IPodSpec }

/** One container of a workload; init containers are containers too. */
export type PlacedContainer = { readonly workload: Workload; readonly container: IContainer }

/** All objects of one target, whose shapes are right. */
export type Rendering = { readonly target: Target; readonly objects: readonly KubernetesObject[]; readonly workloads: readonly Workload[] }

export const idOf = ({ kind, metadata }: { readonly kind: string; readonly metadata?: { readonly name?: string } }): string => `${kind}/${metadata?.name ?? ''}`

export const renderingOf = (target: Target, objects: readonly KubernetesObject[]): Rendering => ({ target, objects, workloads: objects.flatMap(workloadsOf) })

function workloadsOf(object: KubernetesObject): Workload[] {
  const makesPods = Deployment.is(object) || StatefulSet.is(object) || Job.is(object)
  const template = makesPods ? object.spec?.template : undefined
  if (!template?.spec) return []
  return [{ id: idOf(object), name: object.metadata.name, kind: object.kind, labels: template.metadata?.labels ?? {}, pod: template.spec }]
}

export const containersOf = (workload: Workload): PlacedContainer[] =>
  [...(workload.pod.initContainers ?? []), ...workload.pod.containers].map((container) => ({ workload, container }))

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
