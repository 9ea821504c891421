import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import { Job } from 'kubernetes-models/batch/v1/Job'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { PriorityClass } from 'kubernetes-models/scheduling.k8s.io/v1/PriorityClass'
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap'
import { Namespace } from 'kubernetes-models/v1/Namespace'
import { Secret } from 'kubernetes-models/v1/Secret'
import { Service } from 'kubernetes-models/v1/Service'
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount'
import { z } from 'zod'
import { CUSTOM_KINDS } from './custom-kinds.js'
import { watchReads } from './watch-reads.js'

const BUILT_IN = [
  ...[Deployment, StatefulSet, Job, HorizontalPodAutoscaler, PodDisruptionBudget, NetworkPolicy, PriorityClass],
  ...[Namespace, ServiceAccount, ConfigMap, Secret, Service],
]

const header = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
})

/** An object whose kind is known and whose shape is right. */
export type KubernetesObject = z.output<typeof header>

export type Judged = { readonly object?: KubernetesObject; readonly problems: readonly string[] }

/** Whether a document is an object of Kubernetes or of an operator that we use, with no field that those don't know. */
export function judgeShape(document: unknown): Judged {
  const { data: object, error } = header.safeParse(document)
  if (!object) return { problems: issuesOf(error) }
  const builtIn = BUILT_IN.find(({ apiVersion, kind }) => apiVersion === object.apiVersion && kind === object.kind)
  if (builtIn) return { object, problems: problemsOfBuiltIn(builtIn.prototype, document) }
  const custom = CUSTOM_KINDS.find(({ shape }) => shape.apiVersion.value === object.apiVersion && shape.kind.value === object.kind)
  if (custom) return { object, problems: issuesOf(custom.safeParse(document).error) }
  return { object, problems: [`${object.apiVersion} ${object.kind} is not among the kinds of deploy/manifests/schema.ts: add it there`] }
}

export const isBuiltIn = (object: KubernetesObject): boolean => BUILT_IN.some(({ apiVersion, kind }) => apiVersion === object.apiVersion && kind === object.kind)

const issuesOf = (error: z.ZodError | undefined): string[] => (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`)

/**
 * kubernetes-models ships validators compiled from Kubernetes' OpenAPI. They look at each field that the schema names and
 * say nothing of others; so the document is one that notes what is looked at, and what never was is unknown to Kubernetes.
 * (By a fault of theirs a field called `description` is unknown too.)
 */
function problemsOfBuiltIn(kind: { validate(): void }, document: unknown): string[] {
  const watched = watchReads(withWholeLines(document))
  try {
    kind.validate.call(watched.value)
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
  return [...watched.unread().map((path) => `${path} is not a field that Kubernetes knows`), ...watched.nulls().map((path) => `${path} is empty: give it a value or leave it out`)]
}

/** Kustomize breaks long base64 into lines, which Kubernetes takes and the validators don't. */
function withWholeLines(document: unknown): unknown {
  const { success, data: secret } = z.looseObject({ kind: z.literal('Secret'), data: z.record(z.string(), z.string()) }).safeParse(document)
  return success ? { ...secret, data: Object.fromEntries(Object.entries(secret.data).map(([key, value]) => [key, value.replaceAll('\n', '')])) } : document
}
