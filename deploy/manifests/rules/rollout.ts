import { Deployment, type IDeployment } from 'kubernetes-models/apps/v1/Deployment'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import { Job } from 'kubernetes-models/batch/v1/Job'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { environmentOf } from '../environment.js'
import { programOf } from '../programs.js'
import { containersOf, namespaceOf, ofKind, type Rendering, selects } from '../rendering.js'
import { perObject, perPod, type Rule } from '../rule.js'

const SPARE_SECONDS = 5
const TOPOLOGIES = ['topology.kubernetes.io/zone', 'kubernetes.io/hostname']

/** Deployments of our services; development's stores may stop while they are replaced. */
const isService = (object: unknown): object is IDeployment =>
  Deployment.is(object) && object.spec?.template.spec?.containers.some((container) => programOf(container)?.isService === true) === true

const replacesPodsOneByOne = perObject('replaces-pods-one-by-one', isService, ({ spec }) => {
  const { maxSurge, maxUnavailable } = spec?.strategy?.rollingUpdate ?? {}
  return (maxSurge !== 1 || maxUnavailable !== 0) && 'set strategy.rollingUpdate to maxSurge 1 and maxUnavailable 0'
})

const rolloutIsBounded = perObject('rollout-is-bounded', isService, ({ spec }) => [
  (spec?.minReadySeconds ?? 0) < 10 && 'set minReadySeconds to 10 or more',
  spec?.revisionHistoryLimit === undefined && 'set revisionHistoryLimit',
  spec?.progressDeadlineSeconds === undefined && 'set progressDeadlineSeconds',
])

const graceCoversDrain = perPod('grace-covers-drain', (workload, rendering) => {
  const { pod } = workload
  const [placed] = containersOf(workload).filter(({ container }) => programOf(container)?.isService === true)
  if (!placed) return undefined
  const environment = environmentOf(rendering, placed)
  const needed = Number(environment.get('LAME_DUCK_SECONDS')) + Number(environment.get('DRAIN_SECONDS')) + SPARE_SECONDS
  return !((pod.terminationGracePeriodSeconds ?? 30) >= needed) && `set terminationGracePeriodSeconds to ${needed} or more: LAME_DUCK_SECONDS + DRAIN_SECONDS + ${SPARE_SECONDS}`
})

const spreadsOut = perObject('spreads-out', isService, ({ spec }) => {
  const { metadata, spec: pod } = spec?.template ?? {}
  return TOPOLOGIES.map((topology) => {
    const spread = pod?.topologySpreadConstraints?.find(({ topologyKey }) => topologyKey === topology)
    const counts = spread && selects(spread.labelSelector ?? {}, metadata?.labels ?? {}) && spread.matchLabelKeys?.includes('pod-template-hash') === true
    return counts !== true && `add a topologySpreadConstraint over ${topology} that selects its own pods, with matchLabelKeys [pod-template-hash]`
  })
})

const budgetsOf = (rendering: Rendering, deployment: IDeployment) =>
  ofKind(rendering, PodDisruptionBudget.is).filter((budget) => namespaceOf(budget) === namespaceOf(deployment) && selects(budget.spec?.selector ?? {}, deployment.spec?.template.metadata?.labels ?? {}))

const survivesDrainedNodes = perObject('survives-drained-nodes', isService, (deployment, rendering) => budgetsOf(rendering, deployment).length !== 1 && 'give it one PodDisruptionBudget')

const budgetLetsNodesGo = perObject('budget-lets-nodes-go', PodDisruptionBudget.is, ({ spec }) => [
  spec?.maxUnavailable !== 1 && 'set maxUnavailable to 1 (and no minAvailable): it holds for any number of replicas',
  spec?.unhealthyPodEvictionPolicy !== 'AlwaysAllow' && 'set unhealthyPodEvictionPolicy to AlwaysAllow: a broken pod may not keep a node from being drained',
])

const scalersOf = (rendering: Rendering, deployment: IDeployment) =>
  ofKind(rendering, HorizontalPodAutoscaler.is).filter((scaler) => namespaceOf(scaler) === namespaceOf(deployment) && scaler.spec?.scaleTargetRef.name === deployment.metadata?.name)

const scales = perObject('scales', isService, (deployment, rendering) => {
  const scalers = scalersOf(rendering, deployment)
  if (scalers.length !== 1) return 'give it one HorizontalPodAutoscaler'
  return deployment.spec?.replicas !== undefined && 'remove replicas: each apply would undo what the autoscaler did'
})

const outlivesANode = perObject(
  'outlives-a-node',
  HorizontalPodAutoscaler.is,
  ({ spec }, { target }) => !target.development && (spec?.minReplicas ?? 1) < 3 && 'set minReplicas to 3 or more: one may be on a node that fails while another is replaced',
)

const shrinksSlowly = perObject(
  'shrinks-slowly',
  HorizontalPodAutoscaler.is,
  ({ spec }) => (spec?.behavior?.scaleDown?.stabilizationWindowSeconds ?? 0) < 300 && 'set behavior.scaleDown.stabilizationWindowSeconds to 300 or more',
)

const jobEnds = perObject('job-ends', Job.is, ({ spec }) => [
  spec?.ttlSecondsAfterFinished === undefined && 'set ttlSecondsAfterFinished',
  spec?.backoffLimit === undefined && 'set backoffLimit',
  spec?.activeDeadlineSeconds === undefined && 'set activeDeadlineSeconds',
])

const jobIsNamedForItsVersion = perObject('job-is-named-for-its-version', Job.is, ({ metadata, spec }) => {
  const [, tag = ''] = /:([^/:@]+)(?:@|$)/.exec(spec?.template.spec?.containers[0]?.image ?? '') ?? []
  const suffix = `-${tag.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`
  return metadata?.name?.endsWith(suffix) !== true && `let its name end in ${suffix}, the version of its image: a Job can't be changed, so a new version is a new Job`
})

export const rolloutRules: readonly Rule[] = [
  ...[replacesPodsOneByOne, rolloutIsBounded, graceCoversDrain, spreadsOut, survivesDrainedNodes, budgetLetsNodesGo],
  ...[scales, outlivesANode, shrinksSlowly, jobEnds, jobIsNamedForItsVersion],
]
