import { z } from 'zod'
import { of } from './custom-kind.js'
import { MESH_KINDS } from './mesh-kinds.js'

// The kinds that components use and that are not Kubernetes' own, as far as they use them: a field that is not here has to
// be looked up in the operator's documentation and added.

const duration = z.string().regex(/^(\d+(h|m|s))+$/, 'must be a duration such as 720h')

export const podMonitor = z.strictObject({
  ...of('monitoring.coreos.com/v1', 'PodMonitor'),
  spec: z.strictObject({
    selector: z.strictObject({ matchLabels: z.record(z.string(), z.string()) }),
    podMetricsEndpoints: z.array(z.strictObject({ port: z.string(), path: z.string(), interval: duration })).min(1),
  }),
})

export const issuer = z.strictObject({
  ...of('cert-manager.io/v1', 'Issuer'),
  spec: z.union([z.strictObject({ selfSigned: z.strictObject({}) }), z.strictObject({ ca: z.strictObject({ secretName: z.string() }) })]),
})

export const certificate = z.strictObject({
  ...of('cert-manager.io/v1', 'Certificate'),
  spec: z.strictObject({
    isCA: z.boolean().optional(),
    commonName: z.string().optional(),
    secretName: z.string(),
    duration,
    renewBefore: duration,
    privateKey: z.strictObject({ algorithm: z.enum(['ECDSA', 'RSA', 'Ed25519']), size: z.int(), rotationPolicy: z.enum(['Always', 'Never']).optional() }),
    usages: z.array(z.enum(['digital signature', 'key encipherment', 'server auth', 'client auth'])).optional(),
    dnsNames: z.array(z.string()).optional(),
    issuerRef: z.strictObject({ group: z.literal('cert-manager.io'), kind: z.enum(['Issuer', 'ClusterIssuer']), name: z.string() }),
  }),
})

export const externalSecret = z.strictObject({
  ...of('external-secrets.io/v1', 'ExternalSecret'),
  spec: z.strictObject({
    refreshInterval: duration,
    secretStoreRef: z.strictObject({ kind: z.enum(['SecretStore', 'ClusterSecretStore']), name: z.string() }),
    target: z.strictObject({ name: z.string(), creationPolicy: z.enum(['Owner', 'Orphan', 'Merge', 'None']) }),
    data: z.array(z.strictObject({ secretKey: z.string(), remoteRef: z.strictObject({ key: z.string(), property: z.string() }) })).min(1),
  }),
})

export const CUSTOM_KINDS = [podMonitor, issuer, certificate, externalSecret, ...MESH_KINDS] as const
