import type { Plant } from './plant.js'

const REGISTRY = 'Deployment/identity-registry'
const POD = 'spec template spec'
const CONTAINER = `${POD} containers 0`

const inPod = (rule: string, fault: string, path: string, value?: unknown): Plant => ({ rule, fault, at: REGISTRY, path: `${POD} ${path}`, value })
const inContainer = (rule: string, fault: string, path: string, value?: unknown): Plant => ({ rule, fault, at: REGISTRY, path: `${CONTAINER} ${path}`, value })

const PODS: readonly Plant[] = [
  inPod('runs-as-non-root', 'a pod that may run as root', 'securityContext runAsNonRoot', false),
  inPod('runs-as-numeric-user', 'another user than that of the image', 'securityContext runAsUser', 1000),
  { rule: 'runs-as-numeric-user', fault: 'no number for the user', target: 'development', at: 'StatefulSet/postgres-dev', path: `${POD} securityContext runAsUser` },
  inPod('seccomp-is-default', 'no seccomp profile', 'securityContext seccompProfile'),
  inPod('has-no-api-token', 'a token of the Kubernetes API', 'automountServiceAccountToken'),
  inPod('has-its-own-service-account', 'an account that is not there', 'serviceAccountName', 'nobody'),
  inPod('has-its-own-service-account', 'the account of another', 'serviceAccountName', 'auth-exchange'),
  inPod('has-its-own-service-account', 'no account', 'serviceAccountName'),
  inPod('stays-off-the-host', 'the network of the host', 'hostNetwork', true),
  inPod('stays-off-the-host', 'a folder of the host', 'volumes +', { name: 'host', hostPath: { path: '/' } }),
  inContainer('stays-off-the-host', 'a port of the host', 'ports 0 hostPort', 50051),
  inPod('takes-no-service-variables', 'variables of Services', 'enableServiceLinks'),
]

const CONTAINERS: readonly Plant[] = [
  inContainer('may-not-gain-privileges', 'privileges to be gained', 'securityContext allowPrivilegeEscalation', true),
  inContainer('drops-all-capabilities', 'capabilities that are kept', 'securityContext capabilities'),
  inContainer('drops-all-capabilities', 'a capability that is added', 'securityContext capabilities add', ['NET_ADMIN']),
  inContainer('root-is-read-only', 'a root that can be written to', 'securityContext readOnlyRootFilesystem'),
  inContainer('has-tmp', 'no /tmp', 'volumeMounts [tmp] mountPath', '/var/tmp'),
  inContainer('requests-what-it-needs', 'no request for CPU', 'resources requests cpu'),
  inContainer('memory-is-reserved', 'more memory than is requested', 'resources limits memory', '600Mi'),
  inContainer('heap-fits-memory', 'a heap as large as the limit', 'env [NODE_OPTIONS] value', '--max-old-space-size=512'),
  inContainer('heap-fits-memory', 'a heap of whatever size', 'env [NODE_OPTIONS]'),
  inContainer('threads-are-counted', 'any number of threads', 'env [UV_THREADPOOL_SIZE]'),
  inContainer('image-is-pinned', 'the latest image', 'image', 'registry.example.com/countersign:latest'),
  inContainer('image-is-pinned', 'an image without a tag', 'image', 'registry.example.com:5000/countersign'),
  inContainer('variables-come-once', 'a variable twice', 'env +', { name: 'UV_THREADPOOL_SIZE', value: '4' }),
]

const PROBES: readonly Plant[] = [
  inContainer('has-all-probes', 'no startup probe', 'startupProbe'),
  inContainer('probes-speak-grpc', 'a probe of whether the port is open', 'readinessProbe', { tcpSocket: { port: 8086 } }),
  inContainer('probes-ask-the-health-port', 'a probe of the listener that wants TLS', 'livenessProbe grpc port', 50051),
  inContainer('probes-ask-known-services', 'a probe of an unknown service', 'readinessProbe grpc service', 'ready'),
  inContainer('probes-ask-known-services', 'liveness that depends on readiness', 'livenessProbe grpc service', 'readiness'),
  inContainer('may-take-its-time', 'half a minute to start', 'startupProbe failureThreshold', 6),
  inContainer('may-take-its-time', 'a death for a short pause', 'livenessProbe failureThreshold', 1),
]

const CONFIGURATION: readonly Plant[] = [
  { rule: 'variables-are-known', fault: 'a misspelled variable', at: 'ConfigMap/auth-exchange-config', path: 'data LOG_LEVLE', value: 'info' },
  { rule: 'variables-are-known', fault: "another service's variable", at: 'ConfigMap/auth-exchange-config', path: 'data CACHE_MEGABYTES', value: '64' },
  inContainer('variables-are-complete', 'no credential', 'env [SERVICE_CREDENTIAL_FILE]'),
  { rule: 'variables-are-complete', fault: 'a Job that does not know a role', at: 'ConfigMap/migrate-config', path: 'data EXCHANGE_DATABASE_ROLE' },
  { rule: 'variables-are-valid', fault: 'an unknown level', at: 'ConfigMap/auth-exchange-config', path: 'data LOG_LEVEL', value: 'loud' },
  { rule: 'variables-are-valid', fault: 'a key that is too short, in a file', target: 'development', at: 'Secret/auth-exchange-secrets', path: 'data key-encryption-key', value: btoa('short') },
  inContainer('listens-by-tls', 'a listener without a key', 'env [TLS_KEY_FILE]'),
  inContainer('files-are-mounted', 'a file that is no key', 'env [TLS_CA_FILE] value', '/etc/countersign/tls/authority.crt'),
  inContainer('files-are-mounted', 'a file in no volume', 'env [TLS_CA_FILE] value', '/etc/ssl/ca.crt'),
  inContainer('secrets-come-as-files', 'a secret as a value', 'env [REDIS_URL_FILE]', { name: 'REDIS_URL', value: 'redis://redis:6379' }),
  inContainer('secrets-come-as-files', 'a secret as a variable', 'env [REDIS_URL_FILE]', { name: 'REDIS_URL', valueFrom: { secretKeyRef: { name: 'identity-registry-secrets', key: 'redis-url' } } }),
  inContainer('secrets-come-as-files', 'a Secret as variables', 'envFrom +', { secretRef: { name: 'identity-registry-secrets' } }),
  inContainer('config-map-is-there', 'a ConfigMap that is not there', 'envFrom +', { configMapRef: { name: 'more' } }),
  inContainer('ports-are-listened-on', 'a port that nothing listens on', 'ports +', { name: 'debug', containerPort: 9229 }),
]

export const PLANTED_IN_PODS: readonly Plant[] = [...PODS, ...CONTAINERS, ...PROBES, ...CONFIGURATION]
