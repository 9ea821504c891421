import { z } from 'zod'
import { parseStrictly } from './strict-yaml.js'

// Envoy's configuration as far as the lint looks at it. Whether Envoy takes the rest is tried in test/manifests, by its protos.

export const EXT_AUTHZ = 'envoy.filters.http.ext_authz'

const settings = z.looseObject({
  disabled: z.boolean().optional(),
  check_settings: z.looseObject({ context_extensions: z.record(z.string(), z.string()).optional() }).optional(),
})

/** What a route, or the host that it belongs to, says to a filter. */
export const perFilter = z.looseObject({ typed_per_filter_config: z.looseObject({ [EXT_AUTHZ]: settings.optional() }).optional() })
export type PerFilter = z.output<typeof perFilter>

const virtualHost = perFilter.extend({ name: z.string(), routes: z.array(perFilter.extend({ match: z.looseObject({}) })) })

const extAuthz = z.looseObject({
  grpc_service: z.looseObject({ envoy_grpc: z.looseObject({ cluster_name: z.string() }), timeout: z.string().optional() }),
  failure_mode_allow: z.boolean().optional(),
  status_on_error: z.looseObject({ code: z.string() }).optional(),
})
export type ExtAuthz = z.output<typeof extAuthz>

const connectionManager = z.looseObject({
  normalize_path: z.boolean().optional(),
  merge_slashes: z.boolean().optional(),
  path_with_escaped_slashes_action: z.string().optional(),
  http_filters: z.array(z.looseObject({ name: z.string(), typed_config: z.looseObject({}) })),
  route_config: z.looseObject({ virtual_hosts: z.array(virtualHost) }),
})

const cluster = z.looseObject({
  name: z.string(),
  load_assignment: z.looseObject({
    endpoints: z.array(z.looseObject({ lb_endpoints: z.array(z.looseObject({ endpoint: z.looseObject({ address: z.looseObject({ pipe: z.looseObject({ path: z.string() }).optional() }) }) })) })),
  }),
})

const bootstrap = z.looseObject({
  static_resources: z.looseObject({
    listeners: z.array(z.looseObject({ name: z.string(), filter_chains: z.array(z.looseObject({ filters: z.array(z.looseObject({ typed_config: connectionManager })) })) })),
    clusters: z.array(cluster),
  }),
})

/** A listener that has its requests asked about. */
export type AskingListener = { readonly name: string; readonly manager: z.output<typeof connectionManager>; readonly filter: ExtAuthz }

export type EnvoyConfig = {
  readonly asking: readonly AskingListener[]
  /** The Unix socket behind a cluster. */
  socketOf(cluster: string): string | undefined
}

export type ReadEnvoyConfig = { readonly config: EnvoyConfig } | { readonly problem: string }

export function readEnvoyConfig(text: string): ReadEnvoyConfig {
  const { documents: [document], problems } = parseStrictly(text)
  if (problems[0] !== undefined) return { problem: problems[0] }
  const { data, error } = bootstrap.safeParse(document)
  if (!data) return { problem: error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') }
  const { listeners, clusters } = data.static_resources
  const managers = listeners.flatMap(({ name, filter_chains: chains }) => chains.flatMap(({ filters }) => filters.map((one) => ({ name, manager: one.typed_config }))))
  const asking = managers.flatMap(({ name, manager }) => {
    const filter = extAuthz.safeParse(manager.http_filters.find((one) => one.name === EXT_AUTHZ)?.typed_config).data
    return filter ? [{ name, manager, filter }] : []
  })
  const pipes = new Map(clusters.map((one) => [one.name, one.load_assignment.endpoints[0]?.lb_endpoints[0]?.endpoint.address.pipe?.path]))
  return { config: { asking, socketOf: (name) => pipes.get(name) } }
}

const KEYS = /^(?:action|resource|project|organization|consistency|forward-authorization|(?:attribute|context)\..+)$/
const VARIABLES = /^(?:method|host|path(?:\.[1-9]\d*)?|query\..+|header\.(?!authorization$|cookie$)[a-z0-9-]+|grpc\.(?:service|method))$/

/** What is wrong with what a route says about its requests; nothing, where they are not asked about. */
export function problemsOfRoute(route: PerFilter, host?: PerFilter): string[] {
  const own = route.typed_per_filter_config?.[EXT_AUTHZ] ?? host?.typed_per_filter_config?.[EXT_AUTHZ]
  if (own?.disabled === true) return []
  const context = own?.check_settings?.context_extensions ?? {}
  const variables = Object.values(context).flatMap((template) => [...template.matchAll(/\{\{(.*?)\}\}/g)].map(([, name = '']) => name))
  return [
    ...['action', 'resource'].filter((key) => context[key] === undefined).map((key) => `context_extensions lacks ${key}: say it, or disable the filter there`),
    ...Object.keys(context).filter((key) => !KEYS.test(key)).map((key) => `nothing reads ${key} of context_extensions`),
    ...variables.filter((name) => !VARIABLES.test(name)).map((name) => `there is no variable {{${name}}}`),
  ]
}
