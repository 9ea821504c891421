import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../deploy/manifests/targets.js'
import type { Plant } from './plant.js'

const SIDECAR = 'spec template spec initContainers [countersign]'

const inSidecar = (rule: string, fault: string, path: string, value?: unknown): Plant => ({ rule, fault, target: 'sidecar-example', at: 'Deployment/orders', path: `${SIDECAR} ${path}`, value })
const inExample = (rule: string, fault: string, path: string, value?: unknown): Plant => ({ rule, fault, target: 'sidecar-example', at: 'Deployment/orders', path: `spec template spec ${path}`, value })

const SIDECARS: readonly Plant[] = [
  inSidecar('sidecar-stays', 'an init container that never ends', 'restartPolicy'),
  inSidecar('sidecar-holds-no-shared-secret', 'the Redis of the installation', 'env +', { name: 'REDIS_CA_FILE', value: '/etc/countersign/tls/ca.crt' }),
  inSidecar('socket-is-shared', 'a socket where nobody looks', 'volumeMounts [countersign-socket] mountPath', '/run/elsewhere'),
  inSidecar('socket-is-shared', 'a socket that can not be made', 'volumeMounts [countersign-socket] readOnly', true),
  inExample('socket-is-shared', 'a socket on a disk', 'volumes [countersign-socket] emptyDir medium'),
  inExample('socket-is-shared', 'a socket that nobody opens', 'containers [envoy] volumeMounts [countersign-socket] mountPath', '/run/elsewhere'),
  { rule: 'socket-is-shared', fault: 'a proxy that does not see the socket', target: 'istio', at: 'Deployment/orders', path: 'spec template metadata annotations sidecar.istio.io/userVolumeMount' },
  inSidecar('runs-as-numeric-user', 'a sidecar as another user than that of the image', 'securityContext runAsUser', 1000),
  inSidecar('variables-are-known', 'a misspelled relay', 'env +', { name: 'RELAY_ADRESS', value: 'a:1' }),
  inSidecar('variables-are-valid', 'a relay without a port', 'env +', { name: 'RELAY_ADDRESS', value: 'authorization-check' }),
  inSidecar('has-all-probes', 'a sidecar that the application does not wait for', 'startupProbe'),
  inSidecar('heap-fits-memory', 'a heap larger than the sidecar', 'env [NODE_OPTIONS] value', '--max-old-space-size=384'),
  inSidecar('stays-off-the-host', 'a port of the host', 'ports 0 hostPort', 8086),
  { rule: 'grace-covers-drain', fault: 'a sidecar that drains longer than its pod', target: 'sidecar-example', at: 'ConfigMap/countersign-sidecar-config', path: 'data DRAIN_SECONDS', value: '60' },
  { rule: 'operations-get-in', fault: 'a sidecar that no probe reaches', target: 'sidecar-example', at: 'NetworkPolicy/sidecar-health-from-nodes' },
  { rule: 'denies-by-default', fault: 'a namespace of an application without a default', target: 'sidecar-example', at: 'NetworkPolicy/default-deny' },
]

/** An installation and an application, each in its namespace. */
const beside = (rule: string, fault: string, at: string, path?: string, value?: unknown): Plant => ({ rule, fault, target: 'with sidecar', at, ...(path !== undefined && { path }), value })

const NAMESPACES: readonly Plant[] = [
  beside('edges-meet', 'a sidecar that the owner does not let in', 'NetworkPolicy/exchange-internal-from-sidecars'),
  beside('peers-are-reached', 'a relay that is not there', 'ConfigMap/countersign-sidecar-config', 'data RELAY_ADDRESS', 'dns:///authorization-check-headless.countersign.svc.cluster.local:50064'),
  beside('peers-are-reached', 'a name that is looked for in the wrong namespace', 'ConfigMap/countersign-sidecar-config', 'data REGISTRY_INTERNAL_ADDRESS', 'dns:///identity-registry-headless:50061'),
  beside('peers-are-reached', 'an address that no policy lets a sidecar out to', 'ConfigMap/countersign-sidecar-config', 'data RELAY_ADDRESS', 'dns:///authorization-check.countersign:50053'),
  beside('policy-has-pods', 'a policy towards nobody in another namespace', 'NetworkPolicy/sidecar-to-relay', 'spec egress 0 to +', {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'countersign' } },
    podSelector: { matchLabels: { 'app.kubernetes.io/name': 'nobody' } },
  }),
  beside('policy-port-is-there', 'a port that another namespace does not have', 'NetworkPolicy/sidecar-to-relay', 'spec egress 0 ports +', { protocol: 'TCP', port: 50099 }),
  beside('ports-are-listened-on', 'a relay that is declared and not switched on', 'ConfigMap/authorization-check-config', 'data RELAY_PORT'),
  beside('mounts-what-is-there', 'a ConfigMap in another namespace', 'ConfigMap/orders-application', 'metadata namespace', 'countersign'),
]

const configuration = readFileSync(join(ROOT, 'deploy/kubernetes/overlays/sidecar-example/envoy.yaml'), 'utf8')

function inEnvoy(rule: string, fault: string, right: string, wrong: string): Plant {
  if (!configuration.includes(right)) throw new Error(`envoy.yaml has no ${right}`)
  return { rule, fault, target: 'sidecar-example', at: 'ConfigMap/orders-envoy', path: 'data envoy.yaml', value: configuration.replace(right, wrong) }
}

const ENVOY: readonly Plant[] = [
  inEnvoy('envoy-is-read', 'a key twice', 'merge_slashes: true', 'normalize_path: true'),
  inEnvoy('envoy-is-read', 'no clusters', '  clusters:', '  others:'),
  inEnvoy('envoy-fails-closed', 'no answer that admits', 'failure_mode_allow: false', 'failure_mode_allow: true'),
  inEnvoy('envoy-fails-closed', 'no answer that looks like a denial', 'code: ServiceUnavailable', 'code: Forbidden'),
  inEnvoy('envoy-fails-closed', 'requests that wait for ten seconds', 'timeout: 0.5s', 'timeout: 10s'),
  inEnvoy('envoy-fails-closed', 'no time limit', ', timeout: 0.5s', ''),
  inEnvoy('envoy-asks-its-sidecar', 'another socket', '/run/countersign/check.sock', '/run/countersign/checks.sock'),
  inEnvoy('envoy-has-one-spelling', 'escaped slashes', 'path_with_escaped_slashes_action: REJECT_REQUEST', 'path_with_escaped_slashes_action: KEEP_UNCHANGED'),
  inEnvoy('routes-say-what-is-asked', 'a route that is forgotten', 'disabled: true', 'check_settings: {}'),
  inEnvoy('routes-say-what-is-asked', 'a key that nothing reads', 'attribute.path:', 'attributes.path:'),
  inEnvoy('routes-say-what-is-asked', 'a variable that is not there', '{{path.2}}', '{{segment.2}}'),
  inEnvoy('routes-say-what-is-asked', 'a token as an attribute', '"{{path}}"', '"{{header.authorization}}"'),
]

const inMesh = (rule: string, fault: string, at: string, path: string, value?: unknown): Plant => ({ rule, fault, target: 'istio', at, path, value })
const PATCH = 'spec configPatches 0'

const MESH: readonly Plant[] = [
  inMesh('mesh-asks-where-there-is-a-sidecar', 'a policy of nobody', 'AuthorizationPolicy/countersign', 'spec selector matchLabels', { app: 'nobody' }),
  {
    rule: 'mesh-asks-where-there-is-a-sidecar',
    fault: 'a policy for authorization-check itself',
    target: 'with cert-manager',
    added: {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'everything', namespace: 'countersign', labels: { 'app.kubernetes.io/part-of': 'a', 'app.kubernetes.io/managed-by': 'b' } },
      spec: { action: 'CUSTOM', provider: { name: 'countersign' }, rules: [{ to: [{ operation: { notPaths: ['/healthz'] } }] }] },
    },
  },
  inMesh('mesh-finds-the-socket', 'another socket', 'ServiceEntry/countersign', 'spec endpoints 0 address', 'unix:///run/countersign/checks.sock'),
  inMesh('mesh-finds-the-socket', 'HTTP/1.1', 'ServiceEntry/countersign', 'spec ports 0 protocol', 'HTTP'),
  inMesh('mesh-knows-the-host', 'another host', 'DestinationRule/countersign', 'spec host', 'check.countersign.local'),
  inMesh('mesh-knows-the-host', 'TLS towards the socket', 'DestinationRule/countersign', 'spec trafficPolicy tls mode', 'ISTIO_MUTUAL'),
  inMesh('mesh-routes-say-what-is-asked', "the container's port in place of the Service's", 'EnvoyFilter/countersign-routes', `${PATCH} match routeConfiguration vhost name`, 'inbound|http|8080'),
  inMesh('mesh-routes-say-what-is-asked', 'routes of nobody', 'EnvoyFilter/countersign-routes', 'spec workloadSelector labels', { app: 'nobody' }),
  inMesh('mesh-routes-say-what-is-asked', 'the name of another filter', 'EnvoyFilter/countersign-routes', `${PATCH} patch value typed_per_filter_config`, {}),
]

export const PLANTED_BESIDE_APPLICATIONS: readonly Plant[] = [...SIDECARS, ...NAMESPACES, ...ENVOY, ...MESH]
