import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { envoyFilter, meshConfig, serviceEntry } from '../../deploy/manifests/mesh-kinds.js'
import { parseStrictly } from '../../deploy/manifests/strict-yaml.js'
import { ROOT } from '../../deploy/manifests/targets.js'
import { problemsOfMessage } from './envoy-shape.js'

const documentsIn = (path: string) => parseStrictly(readFileSync(join(ROOT, path), 'utf8')).documents
const bootstrap = readFileSync(join(ROOT, 'deploy/kubernetes/overlays/sidecar-example/envoy.yaml'), 'utf8')
/** As a kustomization puts it there. */
const inNamespace = (document: unknown): unknown => JSON.parse(JSON.stringify(document).replace('"metadata":{', '"metadata":{"namespace":"shop",'))

describe('what Envoy is configured with', () => {
  it('is known to Envoy in the example', () => {
    expect(problemsOfMessage('envoy.config.bootstrap.v3.Bootstrap', parseStrictly(bootstrap).documents[0])).toEqual([])
  })

  it('is known to Envoy where Istio is to merge it', () => {
    const { spec } = envoyFilter.parse(inNamespace(documentsIn('deploy/istio/routes.yaml')[0]))
    for (const { patch } of spec.configPatches) expect(problemsOfMessage('envoy.config.route.v3.VirtualHost', patch.value)).toEqual([])
    expect(spec.configPatches.length).toBeGreaterThan(0)
  })

  // A rule that looks at nothing is green.
  it.each([
    ['failure_mode_allow', 'fail_mode_allow', 'is no field of envoy.extensions.filters.http.ext_authz.v3.ExtAuthz'],
    ['context_extensions:', 'context_extension:', 'is no field of envoy.extensions.filters.http.ext_authz.v3.CheckSettings'],
    ['REJECT_REQUEST', 'REFUSE_REQUEST', 'is no PathWithEscapedSlashesAction'],
    ['ext_authz.v3.ExtAuthzPerRoute', 'ext_authz.v3.PerRoute', 'there is no type'],
    ['merge_slashes: true', 'merge_slashes: [true]', 'is no bool'],
    ['timeout: 0.5s', 'timeout: 500ms', 'is no duration'],
    ['direct_response: { status: 404 }', 'direct_response: { status: "404" }', 'is no uint32'],
    ['domains: ["*"]', 'domains: "*"', 'is no list'],
  ])('%s is not %s', (right, wrong, problem) => {
    const { documents: [document] } = parseStrictly(bootstrap.replace(right, wrong))
    const problems = problemsOfMessage('envoy.config.bootstrap.v3.Bootstrap', document)
    expect(problems).toEqual([expect.stringContaining(problem)])
  })
})

describe('the provider of the mesh', () => {
  const { meshConfig: { extensionProviders, pathNormalization } } = meshConfig.parse(documentsIn('deploy/istio/mesh-config.yaml')[0])
  const [provider] = extensionProviders
  const entry = serviceEntry.parse(inNamespace(documentsIn('deploy/istio/service-entry.yaml')[0]))

  it('is the one that the policy names, and is found by the name of the socket', () => {
    expect(extensionProviders).toHaveLength(1)
    expect(documentsIn('deploy/istio/authorization-policy.yaml')[0]).toMatchObject({ spec: { provider: { name: provider?.name } } })
    expect(entry.spec).toMatchObject({ hosts: [provider?.envoyExtAuthzGrpc.service], ports: [{ number: provider?.envoyExtAuthzGrpc.port }] })
  })

  it('fails closed, within a second, with paths in one spelling', () => {
    expect(provider?.envoyExtAuthzGrpc).toMatchObject({ failOpen: false, statusOnError: '503', clearRouteCache: false })
    expect(Number.parseFloat(provider?.envoyExtAuthzGrpc.timeout ?? '600s')).toBeLessThanOrEqual(1)
    expect(pathNormalization.normalization).toBe('MERGE_SLASHES')
  })
})
