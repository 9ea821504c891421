import { z } from 'zod'
import { of } from './custom-kind.js'
import { perFilter } from './envoy-config.js'

// Istio's kinds, as far as deploy/istio uses them: a field that is not here has to be looked up in its reference and added.

const labels = z.record(z.string(), z.string())
const seconds = z.string().regex(/^\d+(\.\d+)?s$/, 'must be a duration such as 0.5s')
const toThisNamespace = z.tuple([z.literal('.')])

export const serviceEntry = z.strictObject({
  ...of('networking.istio.io/v1', 'ServiceEntry'),
  spec: z.strictObject({
    hosts: z.array(z.string()).min(1),
    exportTo: toThisNamespace,
    location: z.enum(['MESH_EXTERNAL', 'MESH_INTERNAL']),
    resolution: z.enum(['STATIC', 'DNS', 'NONE']),
    ports: z.array(z.strictObject({ name: z.string(), number: z.int(), protocol: z.enum(['GRPC', 'HTTP', 'HTTP2', 'HTTPS', 'TCP', 'TLS']) })).min(1),
    endpoints: z.array(z.strictObject({ address: z.string() })).min(1),
  }),
})

export const destinationRule = z.strictObject({
  ...of('networking.istio.io/v1', 'DestinationRule'),
  spec: z.strictObject({
    host: z.string(),
    exportTo: toThisNamespace,
    trafficPolicy: z.strictObject({
      connectionPool: z.strictObject({ tcp: z.strictObject({ connectTimeout: seconds }) }),
      tls: z.strictObject({ mode: z.enum(['DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL']) }),
    }),
  }),
})

export const authorizationPolicy = z.strictObject({
  ...of('security.istio.io/v1', 'AuthorizationPolicy'),
  spec: z.strictObject({
    selector: z.strictObject({ matchLabels: labels }).optional(),
    action: z.literal('CUSTOM'),
    provider: z.strictObject({ name: z.string() }),
    rules: z.array(z.strictObject({ to: z.array(z.strictObject({ operation: z.strictObject({ notPaths: z.array(z.string().startsWith('/')).min(1) }) })).min(1) })).min(1),
  }),
})

export const envoyFilter = z.strictObject({
  ...of('networking.istio.io/v1alpha3', 'EnvoyFilter'),
  spec: z.strictObject({
    workloadSelector: z.strictObject({ labels }),
    configPatches: z.array(
      z.strictObject({
        applyTo: z.literal('VIRTUAL_HOST'),
        match: z.strictObject({
          context: z.literal('SIDECAR_INBOUND'),
          routeConfiguration: z.strictObject({ vhost: z.strictObject({ name: z.string().regex(/^inbound\|http\|\d+$/, 'must be inbound|http|PORT') }) }),
        }),
        patch: z.strictObject({ operation: z.literal('MERGE'), value: perFilter }),
      }),
    ).min(1),
  }),
})

/** What istioctl and the charts take as `meshConfig`; no object of Kubernetes. */
export const meshConfig = z.strictObject({
  meshConfig: z.strictObject({
    pathNormalization: z.strictObject({ normalization: z.enum(['DEFAULT', 'NONE', 'BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES']) }),
    extensionProviders: z.array(
      z.strictObject({
        name: z.string(),
        envoyExtAuthzGrpc: z.strictObject({
          service: z.string(),
          port: z.int().min(1).max(65_535),
          timeout: seconds,
          failOpen: z.boolean(),
          statusOnError: z.string().regex(/^[45]\d\d$/),
          clearRouteCache: z.boolean(),
        }),
      }),
    ),
  }),
})

export const MESH_KINDS = [serviceEntry, destinationRule, authorizationPolicy, envoyFilter] as const
