import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount'
import { programOf } from '../programs.js'
import { containersOf, isAt, ofKind, portsOf } from '../rendering.js'
import { perPod, type Rule } from '../rule.js'

// What Pod Security's profile "restricted" asks of a pod, and what we ask beyond it.

const OUR_USER = 10_001

const runsAsNonRoot = perPod('runs-as-non-root', ({ pod }) => pod.securityContext?.runAsNonRoot !== true && 'set securityContext.runAsNonRoot to true')

const runsAsNumericUser = perPod('runs-as-numeric-user', (workload) => {
  const user = workload.pod.securityContext?.runAsUser ?? 0
  const isAnother = containersOf(workload).some(({ container }) => programOf(container) && (container.securityContext?.runAsUser ?? user) !== OUR_USER)
  if (isAnother) return `set securityContext.runAsUser to ${OUR_USER}, the user of our image`
  return user === 0 && 'set securityContext.runAsUser to the number of a user other than root'
})

const seccompIsDefault = perPod(
  'seccomp-is-default',
  ({ pod }) => pod.securityContext?.seccompProfile?.type !== 'RuntimeDefault' && 'set securityContext.seccompProfile.type to RuntimeDefault',
)

const hasNoApiToken = perPod('has-no-api-token', ({ pod }) => pod.automountServiceAccountToken !== false && 'set automountServiceAccountToken to false: it asks the Kubernetes API for nothing')

const hasItsOwnServiceAccount = perPod('has-its-own-service-account', ({ id, namespace, pod }, rendering) => {
  const name = pod.serviceAccountName
  if (name === undefined || name === 'default') return 'set serviceAccountName to an account of its own'
  if (!ofKind(rendering, ServiceAccount.is).some(isAt({ namespace, name }))) return `there is no ServiceAccount ${name}: add it`
  const other = rendering.workloads.find((one) => one.id !== id && one.namespace === namespace && one.pod.serviceAccountName === name)
  return other && `it shares the ServiceAccount ${name} with ${other.id}: give it one of its own`
})

const staysOffTheHost = perPod('stays-off-the-host', ({ pod, ...workload }) => [
  (pod.hostNetwork === true || pod.hostPID === true || pod.hostIPC === true) && 'remove hostNetwork, hostPID and hostIPC',
  pod.volumes?.some(({ hostPath }) => hostPath) === true && 'remove the hostPath volume',
  portsOf({ pod, ...workload }).some(({ hostPort }) => hostPort !== undefined) && 'remove hostPort',
])

const takesNoServiceVariables = perPod(
  'takes-no-service-variables',
  ({ pod }) => pod.enableServiceLinks !== false && 'set enableServiceLinks to false: the variables that a Service makes could be taken for configuration',
)

export const podRules: readonly Rule[] = [runsAsNonRoot, runsAsNumericUser, seccompIsDefault, hasNoApiToken, hasItsOwnServiceAccount, staysOffTheHost, takesNoServiceVariables]
