import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A kustomization that is rendered and judged as a whole. */
export type Target = {
  readonly name: string
  /** From the root of the repository. */
  readonly path: string
  /** One's own cluster: one replica and throw-away secrets are well there. */
  readonly development: boolean
  /** Whether kinds that a plain cluster lacks may be in it. */
  readonly customResources: boolean
  /** Secrets that somebody else puts into the namespace, with their keys. */
  readonly expects: ReadonlyMap<string, readonly string[]>
  /** Namespaces that it calls into and that are installed by themselves. */
  readonly outside: readonly string[]
}

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const COMPONENTS = 'deploy/kubernetes/components'

const CERTIFICATE_KEYS = ['ca.crt', 'tls.crt', 'tls.key']

/** What docs/kubernetes.md says that production brings. */
const SECRETS: Readonly<Record<string, readonly string[]>> = {
  'identity-registry-secrets': ['database-url', 'service-credential', 'internal-callers', 'redis-url'],
  'auth-exchange-secrets': ['database-url', 'service-credential', 'internal-callers', 'peppers', 'key-encryption-key', 'redis-url', 'redis-mac-keys'],
  'authorization-check-secrets': ['service-credential', 'internal-callers', 'redis-url', 'redis-mac-keys'],
  'migrate-secrets': ['migrate-database-url'],
}
const CERTIFICATES: Readonly<Record<string, readonly string[]>> = {
  'identity-registry-tls': CERTIFICATE_KEYS,
  'auth-exchange-tls': CERTIFICATE_KEYS,
  'authorization-check-tls': CERTIFICATE_KEYS,
}

/** What an application brings for its sidecar. */
const SIDECAR: Readonly<Record<string, readonly string[]>> = { 'countersign-sidecar': ['service-credential'], 'countersign-sidecar-tls': CERTIFICATE_KEYS }

const STORES: Readonly<Record<string, readonly string[]>> = { 'stores-ca': ['database.crt', 'redis.crt'] }

const expecting = (...secrets: readonly Readonly<Record<string, readonly string[]>>[]) => new Map(secrets.flatMap((some) => Object.entries(some)))

/** What a component brings is not expected of anybody else. */
const stillExpected = (component: string) => {
  if (component === 'cert-manager') return expecting(SECRETS)
  if (component === 'store-tls') return expecting(SECRETS, CERTIFICATES, STORES)
  if (component === 'sidecar') return expecting(SECRETS, CERTIFICATES, SIDECAR)
  return component === 'external-secrets' ? expecting(CERTIFICATES) : expecting(SECRETS, CERTIFICATES)
}

const plain = { development: false, customResources: false, expects: expecting(SECRETS, CERTIFICATES), outside: [] }

/** An application's namespace by itself. */
const besideOurs = { ...plain, expects: expecting(SIDECAR), outside: ['countersign'] }

/** Everything that the lint renders: the base, the overlays, and production with each component by itself. */
export const TARGETS: readonly Target[] = [
  { ...plain, name: 'base', path: 'deploy/kubernetes/base' },
  { ...plain, name: 'production', path: 'deploy/kubernetes/overlays/production' },
  { ...plain, name: 'development', path: 'deploy/kubernetes/overlays/development', development: true, expects: new Map() },
  { ...besideOurs, name: 'sidecar-example', path: 'deploy/kubernetes/overlays/sidecar-example' },
  { ...besideOurs, name: 'istio', path: 'deploy/manifests/fixtures/istio', customResources: true },
  ...readdirSync(`${ROOT}${COMPONENTS}`).map((component) => ({
    ...plain,
    name: `with ${component}`,
    path: `deploy/manifests/fixtures/${component}`,
    development: component.endsWith('-dev'),
    customResources: true,
    expects: stillExpected(component),
  })),
]
