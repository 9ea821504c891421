import { describe, expect, it } from 'vitest'
import { lintText } from '../../deploy/manifests/lint.js'
import { judgeShape } from '../../deploy/manifests/schema.js'
import { parseStrictly } from '../../deploy/manifests/strict-yaml.js'
import { targetCalled } from './renderings.js'

const container = { name: 'a', image: 'a:1', livenessProbe: { grpc: { port: 8086, service: 'liveness' } } }
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'a', labels: { any: 'label' } },
  spec: { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [container] } } },
}
const withSpec = (spec: object) => ({ ...deployment, spec: { ...deployment.spec, ...spec } })
const withContainer = (more: object) => withSpec({ template: { spec: { containers: [{ ...container, ...more }] } } })
const externalSecret = {
  apiVersion: 'external-secrets.io/v1',
  kind: 'ExternalSecret',
  metadata: { name: 'a', namespace: 'b' },
  spec: { refreshInterval: '1h', secretStoreRef: { kind: 'SecretStore', name: 'a' }, target: { name: 'a', creationPolicy: 'Owner' }, data: [{ secretKey: 'a', remoteRef: { key: 'a', property: 'a' } }] },
}

describe('the shape of an object', () => {
  it.each([['a Deployment', deployment], ['an ExternalSecret', externalSecret]] as const)('%s that is right has no problem', (_what, document) => {
    expect(judgeShape(document).problems).toEqual([])
  })

  it.each([
    ['an unknown field', withSpec({ replica: 3 }), 'spec.replica is not a field'],
    ['an unknown field deep inside', withContainer({ livenessProbe: { grpc: { port: 8086, tls: true } } }), 'grpc.tls is not a field'],
    ['a field with no value', withContainer({ resources: null }), 'resources is empty'],
    ['a wrong type', withSpec({ replicas: 'two' }), 'spec/replicas must be integer'],
    ['a named port where a number is needed', withContainer({ livenessProbe: { grpc: { port: 'health' } } }), 'grpc/port must be integer'],
    ['a missing field', { ...deployment, spec: { template: deployment.spec.template } }, 'must have required property selector'],
    ['an amount that is none', withContainer({ resources: { limits: { memory: '512 MB' } } }), 'must match format "quantity"'],
    ['an unknown field of an operator', { ...externalSecret, spec: { ...externalSecret.spec, refresh: '1h' } }, 'Unrecognized key: "refresh"'],
    ['a wrong type of an operator', { ...externalSecret, spec: { ...externalSecret.spec, refreshInterval: 'often' } }, 'must be a duration'],
    ['an unknown kind', { ...deployment, apiVersion: 'apps/v1beta1' }, 'is not among the kinds'],
    ['no name', { ...deployment, metadata: {} }, 'metadata.name'],
    ['no object', 'text', 'expected object'],
  ] as const)('%s is a problem', (_what, document, message) => {
    expect(judgeShape(document).problems.join()).toContain(message)
  })
})

describe('the text', () => {
  it('has no key twice', () => {
    const text = 'apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: a\nkind: Secret\n'
    expect(parseStrictly(text).problems).toEqual([expect.stringContaining('Map keys must be unique')])
    expect(lintText(targetCalled('base'), text)).toEqual([{ target: 'base', object: '-', rule: 'yaml', message: expect.stringContaining('Map keys must be unique') }])
  })

  it('may be several documents', () => {
    expect(parseStrictly('a: 1\n---\nb: "2"\n')).toEqual({ documents: [{ a: 1 }, { b: '2' }], problems: [] })
  })
})
