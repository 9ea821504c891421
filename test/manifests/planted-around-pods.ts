import type { Plant } from './plant.js'

const REGISTRY = 'Deployment/identity-registry'

const metadata = (name: string) => ({
  name,
  namespace: 'countersign',
  labels: { 'app.kubernetes.io/part-of': 'countersign', 'app.kubernetes.io/managed-by': 'kustomize' },
})
const NOBODY = { matchLabels: { 'app.kubernetes.io/name': 'nobody' } }

const OBJECTS: readonly Plant[] = [
  { rule: 'namespace-is-restricted', fault: 'a namespace that permits more', at: 'Namespace/countersign', path: 'metadata labels pod-security.kubernetes.io/enforce', value: 'baseline' },
  { rule: 'namespace-is-restricted', fault: 'a profile of any version', at: 'Namespace/countersign', path: 'metadata labels pod-security.kubernetes.io/warn-version', value: 'latest' },
  { rule: 'is-in-the-namespace', fault: 'an object elsewhere', added: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...metadata('more'), namespace: 'default' } } },
  { rule: 'is-labelled', fault: 'an object without a label', at: 'Service/identity-registry', path: 'metadata labels app.kubernetes.io/part-of' },
  { rule: 'is-there-once', fault: 'an object twice', added: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata('migrate') } },
  { rule: 'needs-no-operator', fault: 'a kind of an operator', added: { apiVersion: 'cert-manager.io/v1', kind: 'Issuer', metadata: metadata('more'), spec: { selfSigned: {} } } },
  { rule: 'secrets-are-marked', fault: 'a Secret that may be one', target: 'development', at: 'Secret/migrate-secrets', path: 'metadata labels countersign.dev/throw-away' },
  {
    rule: 'no-throw-away-secrets',
    fault: 'a throw-away secret in production',
    added: { apiVersion: 'v1', kind: 'Secret', metadata: { ...metadata('more'), labels: { 'countersign.dev/throw-away': 'true' } } },
  },
]

const ROLLOUT: readonly Plant[] = [
  { rule: 'replaces-pods-one-by-one', fault: 'a pod that goes before its successor comes', at: REGISTRY, path: 'spec strategy rollingUpdate maxUnavailable', value: 1 },
  { rule: 'rollout-is-bounded', fault: 'a pod that counts at once', at: REGISTRY, path: 'spec minReadySeconds' },
  { rule: 'grace-covers-drain', fault: 'a grace as long as the drain', at: REGISTRY, path: 'spec template spec terminationGracePeriodSeconds', value: 30 },
  { rule: 'grace-covers-drain', fault: 'a drain longer than the grace', at: 'ConfigMap/auth-exchange-config', path: 'data DRAIN_SECONDS', value: '60' },
  { rule: 'grace-covers-drain', fault: 'a lame duck of unknown length', at: 'ConfigMap/auth-exchange-config', path: 'data LAME_DUCK_SECONDS' },
  { rule: 'spreads-out', fault: 'all pods in one zone', at: REGISTRY, path: 'spec template spec topologySpreadConstraints 0' },
  { rule: 'spreads-out', fault: 'pods of the last version that count', at: REGISTRY, path: 'spec template spec topologySpreadConstraints 1 matchLabelKeys' },
  { rule: 'survives-drained-nodes', fault: 'no budget', at: 'PodDisruptionBudget/auth-exchange' },
  { rule: 'budget-lets-nodes-go', fault: 'a budget that holds nodes', at: 'PodDisruptionBudget/auth-exchange', path: 'spec maxUnavailable', value: 0 },
  { rule: 'budget-lets-nodes-go', fault: 'broken pods that hold nodes', at: 'PodDisruptionBudget/auth-exchange', path: 'spec unhealthyPodEvictionPolicy' },
  { rule: 'scales', fault: 'no autoscaler', at: 'HorizontalPodAutoscaler/auth-exchange' },
  { rule: 'scales', fault: 'a number of replicas beside the autoscaler', at: REGISTRY, path: 'spec replicas', value: 3 },
  { rule: 'outlives-a-node', fault: 'one replica', at: 'HorizontalPodAutoscaler/auth-exchange', path: 'spec minReplicas', value: 1 },
  { rule: 'shrinks-slowly', fault: 'replicas that go at once', at: 'HorizontalPodAutoscaler/auth-exchange', path: 'spec behavior' },
  { rule: 'job-ends', fault: 'a Job that stays', at: 'Job/migrate-0-1-0', path: 'spec ttlSecondsAfterFinished' },
  { rule: 'job-is-named-for-its-version', fault: 'a Job of another version', at: 'Job/migrate-0-1-0', path: 'spec template spec containers 0 image', value: 'registry.example.com/countersign:0.2.0' },
]

const REFERENCES: readonly Plant[] = [
  { rule: 'owns-its-pods', fault: 'a selector of other pods', at: REGISTRY, path: 'spec selector', value: NOBODY },
  { rule: 'service-has-pods', fault: 'a Service of nobody', target: 'development', at: 'Service/redis-dev', path: 'spec selector', value: NOBODY.matchLabels },
  { rule: 'service-port-is-there', fault: 'a Service for a port that is not there', at: 'Service/identity-registry', path: 'spec ports 0 targetPort', value: 'grcp' },
  { rule: 'service-port-says-its-protocol', fault: 'a Service that does not say what it speaks', at: 'Service/identity-registry', path: 'spec ports 0 appProtocol' },
  { rule: 'service-port-says-its-protocol', fault: 'a Service that passes TLS off as plain text', at: 'Service/identity-registry', path: 'spec ports 0 appProtocol', value: 'grpc' },
  { rule: 'is-reached-both-ways', fault: 'no Service for proxies', at: 'Service/identity-registry' },
  { rule: 'is-reached-both-ways', fault: 'no headless Service', at: 'Service/identity-registry-headless', path: 'spec clusterIP' },
  { rule: 'is-reached-both-ways', fault: 'pods that are called before they are ready', at: 'Service/identity-registry-headless', path: 'spec publishNotReadyAddresses', value: true },
  {
    rule: 'budget-has-pods',
    fault: 'a budget of nobody',
    added: { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: metadata('more'), spec: { maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow', selector: NOBODY } },
  },
  {
    rule: 'scaler-has-target',
    fault: 'an autoscaler of nobody',
    added: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: metadata('more'),
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'nobody' }, minReplicas: 3, maxReplicas: 5, behavior: { scaleDown: { stabilizationWindowSeconds: 300 } } },
    },
  },
  { rule: 'mounts-what-is-there', fault: 'a Secret that nobody brings', at: REGISTRY, path: 'spec template spec volumes [tls] secret secretName', value: 'nothing' },
  { rule: 'mounts-its-volumes', fault: 'a mount of no volume', at: REGISTRY, path: 'spec template spec containers 0 volumeMounts +', value: { name: 'cache', mountPath: '/cache' } },
  { rule: 'priority-is-there', fault: 'a priority that is not there', at: REGISTRY, path: 'spec template spec priorityClassName', value: 'high' },
  { rule: 'monitor-has-pods', fault: 'a monitor of a port that is not there', target: 'with prometheus', at: 'PodMonitor/countersign', path: 'spec podMetricsEndpoints 0 port', value: 'http' },
]

const NETWORK: readonly Plant[] = [
  { rule: 'denies-by-default', fault: 'no default', at: 'NetworkPolicy/default-deny' },
  { rule: 'denies-by-default', fault: 'a default for one direction', at: 'NetworkPolicy/default-deny', path: 'spec policyTypes', value: ['Ingress'] },
  {
    rule: 'policy-has-pods',
    fault: 'a policy of nobody',
    added: { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: metadata('more'), spec: { podSelector: NOBODY, policyTypes: ['Egress'], egress: [{ ports: [{ port: 443 }] }] } },
  },
  { rule: 'policy-has-pods', fault: 'a policy towards nobody', at: 'NetworkPolicy/registry-to-check', path: 'spec egress 0 to +', value: { podSelector: NOBODY } },
  { rule: 'policy-port-is-there', fault: 'a port that is not there', at: 'NetworkPolicy/identity-registry-from-clients', path: 'spec ingress 0 ports 0 port', value: 50099 },
  { rule: 'policy-names-its-ports', fault: 'all ports', at: 'NetworkPolicy/identity-registry-from-clients', path: 'spec ingress 0 ports' },
  { rule: 'edges-meet', fault: 'an edge that nobody lets in', at: 'NetworkPolicy/registry-internal-from-check' },
  { rule: 'peers-are-reached', fault: 'an address without a Service', at: 'ConfigMap/auth-exchange-config', path: 'data CHECK_ADDRESS', value: 'dns:///authorization-check-headless:50059' },
  { rule: 'peers-are-reached', fault: 'an address that no policy lets it out to', at: 'ConfigMap/authorization-check-config', path: 'data EXCHANGE_INTERNAL_ADDRESS', value: 'dns:///auth-exchange-headless:50052' },
  { rule: 'operations-get-in', fault: 'metrics that nobody may fetch', at: 'NetworkPolicy/metrics-from-monitoring' },
]

export const PLANTED_AROUND_PODS: readonly Plant[] = [...OBJECTS, ...ROLLOUT, ...REFERENCES, ...NETWORK]
