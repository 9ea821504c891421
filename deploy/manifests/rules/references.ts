import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { PriorityClass } from 'kubernetes-models/scheduling.k8s.io/v1/PriorityClass'
import { type IService, Service } from 'kubernetes-models/v1/Service'
import { podMonitor } from '../custom-kinds.js'
import { configMapKeys, secretKeys } from '../environment.js'
import { programOf } from '../programs.js'
import { idOf, namespaceOf, ofKind, portsOf, type Rendering, selects, type Workload } from '../rendering.js'
import { perContainer, perObject, perPod, type Rule } from '../rule.js'

// What names something else names something that is there.

const ownsItsPods: Rule = {
  name: 'owns-its-pods',
  find: ({ objects }) =>
    objects.flatMap((object) => {
      if (!(Deployment.is(object) || StatefulSet.is(object))) return []
      const owns = selects(object.spec?.selector ?? {}, object.spec?.template.metadata?.labels ?? {})
      return owns ? [] : [{ object: idOf(object), message: 'let spec.selector match the labels of its template' }]
    }),
}

export const podsBehind = (service: IService, { workloads }: Rendering): Workload[] =>
  workloads.filter(({ kind, namespace, labels }) => {
    const selector = service.spec?.selector
    return kind !== 'Job' && namespace === namespaceOf(service) && selector !== undefined && selects({ matchLabels: selector }, labels)
  })

const serviceHasPods = perObject('service-has-pods', Service.is, (service, rendering) => podsBehind(service, rendering).length !== 1 && 'let spec.selector match the pods of one workload')

const servicePortIsThere = perObject('service-port-is-there', Service.is, (service, rendering) =>
  podsBehind(service, rendering).flatMap((workload) =>
    (service.spec?.ports ?? []).map(({ name = '', port, targetPort = port }) => {
      const isThere = portsOf(workload).some((one) => one.name === targetPort || one.containerPort === targetPort)
      return !isThere && `port ${name}: ${workload.id} has no port ${targetPort}`
    }),
  ),
)

const servicePortSaysItsProtocol = perObject('service-port-says-its-protocol', Service.is, (service) =>
  (service.spec?.ports ?? []).map(({ port, appProtocol }) => {
    if (appProtocol === undefined) return `port ${port}: set appProtocol, by which proxies know what it speaks`
    return appProtocol === 'grpc' && `port ${port}: what says grpc is plain text to a mesh, and ours speak TLS: set appProtocol to https`
  }),
)

const isReachedBothWays = perPod('is-reached-both-ways', (workload, rendering) => {
  if (!workload.pod.containers.some((container) => programOf(container)?.isService === true)) return undefined
  const services = ofKind(rendering, Service.is).filter((service) => podsBehind(service, rendering).includes(workload))
  const headless = services.find(({ spec }) => spec?.clusterIP === 'None')
  return [
    headless === undefined && 'give it a headless Service (clusterIP: None), so that gRPC clients balance over its pods',
    headless !== undefined && !services.some(({ spec }) => spec?.clusterIP !== 'None') && 'give it a Service with a cluster IP, for proxies',
    headless?.spec?.publishNotReadyAddresses === true && 'remove publishNotReadyAddresses: clients would call pods that are not ready',
  ]
})

const budgetHasPods = perObject('budget-has-pods', PodDisruptionBudget.is, (budget, { workloads }) => {
  const { selector = {} } = budget.spec ?? {}
  return !workloads.some(({ namespace, labels }) => namespace === namespaceOf(budget) && selects(selector, labels)) && 'let spec.selector match the pods of a workload'
})

const scalerHasTarget = perObject('scaler-has-target', HorizontalPodAutoscaler.is, (scaler, { workloads }) => {
  const { kind, name } = scaler.spec?.scaleTargetRef ?? {}
  return !workloads.some(({ id, namespace }) => id === `${kind}/${name}` && namespace === namespaceOf(scaler)) && `there is no ${kind} ${name}: change spec.scaleTargetRef`
})

const mountsWhatIsThere = perPod('mounts-what-is-there', ({ namespace, pod }, rendering) =>
  (pod.volumes ?? []).flatMap(({ secret, configMap }) => [
    secret && !secretKeys(rendering, { namespace, name: secret.secretName ?? '' }) && `there is no Secret ${secret.secretName}, and nobody is expected to bring it (deploy/manifests/targets.ts)`,
    configMap && !configMapKeys(rendering, { namespace, name: configMap.name ?? '' }) && `there is no ConfigMap ${configMap.name}`,
  ]),
)

const mountsItsVolumes = perContainer('mounts-its-volumes', ({ container, workload }, { objects }) => {
  const owner = objects.find((object) => idOf(object) === workload.id)
  const claims = StatefulSet.is(owner) ? (owner.spec?.volumeClaimTemplates ?? []).map(({ metadata }) => metadata?.name) : []
  const names = [...(workload.pod.volumes ?? []).map(({ name }) => name), ...claims]
  return (container.volumeMounts ?? []).map(({ name }) => !names.includes(name) && `it mounts ${name}, which is no volume of its pod`)
})

const priorityIsThere = perPod('priority-is-there', ({ pod }, rendering) => {
  const name = pod.priorityClassName
  const isThere = name === undefined || name.startsWith('system-') || ofKind(rendering, PriorityClass.is).some(({ metadata }) => metadata?.name === name)
  return !isThere && `there is no PriorityClass ${name}: add it`
})

const monitorHasPods: Rule = {
  name: 'monitor-has-pods',
  find: ({ objects, workloads }) =>
    objects.flatMap((object) => {
      const spec = podMonitor.safeParse(object).data?.spec
      const named = spec?.podMetricsEndpoints.map(({ port }) => port) ?? []
      const isThere = workloads.some((workload) => spec && selects(spec.selector, workload.labels) && portsOf(workload).some(({ name = '' }) => named.includes(name)))
      return spec && !isThere ? [{ object: idOf(object), message: 'let spec.selector and the port match pods and one of their ports' }] : []
    }),
}

export const referenceRules: readonly Rule[] = [
  ...[ownsItsPods, serviceHasPods, servicePortIsThere, servicePortSaysItsProtocol, isReachedBothWays, budgetHasPods, scalerHasTarget],
  ...[mountsWhatIsThere, mountsItsVolumes, priorityIsThere, monitorHasPods],
]
