import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Secret } from 'kubernetes-models/v1/Secret'
import { beforeAll, describe, expect, it } from 'vitest'
import { digestOf, internalCallers } from '#libs/rpc/service-credential.js'
import { ROOT, TARGETS } from '../../deploy/manifests/targets.js'
import { documentsOf, rendererForTests } from './renderings.js'

// What the lint can't know of the development overlay: whether its throw-away secrets fit each other.

const SERVICES = ['identity-registry', 'auth-exchange', 'authorization-check'] as const
const renderer = await rendererForTests()

let secrets: readonly { name: string; data: Readonly<Record<string, string>> }[]

beforeAll(async () => {
  const documents = renderer ? await documentsOf(renderer, 'development') : []
  secrets = documents.filter(Secret.is).map(({ metadata, data }) => ({ name: metadata?.name ?? '', data: data ?? {} }))
})

function secretOf(name: string, key: string): string {
  const found = secrets.find((secret) => secret.name.startsWith(`${name}-`))?.data[key]
  return Buffer.from(found ?? '', 'base64').toString()
}

describe.skipIf(!renderer)('development', () => {
  it.each(SERVICES)('knows the callers of %s by the credentials that they have', (service) => {
    const callers = internalCallers.parse(secretOf(`${service}-secrets`, 'internal-callers')).filter(({ name }) => name !== 'bootstrap')
    expect(callers).not.toEqual([])
    for (const { name, digests } of callers) {
      const [shown, secret = ''] = secretOf(`${name}-secrets`, 'service-credential').split(':')
      expect({ shown, digests }).toEqual({ shown: name, digests: [digestOf(secret)] })
    }
  })

  it.each(SERVICES)('has a certificate for %s, of its authority, with its key and the name that peers call', (service) => {
    const certificate = new X509Certificate(secretOf(`${service}-tls`, 'tls.crt'))
    const authority = new X509Certificate(secretOf(`${service}-tls`, 'ca.crt'))
    expect(certificate.verify(authority.publicKey)).toBe(true)
    expect(certificate.checkPrivateKey(createPrivateKey(secretOf(`${service}-tls`, 'tls.key')))).toBe(true)
    for (const name of [service, `${service}-headless`, `${service}-headless.countersign.svc`]) expect(certificate.checkHost(name)).toBe(name)
    expect(certificate.subject).toContain('THROW-AWAY')
  })

  it('connects with the passwords that the database and Redis are made with', () => {
    const roles = secretOf('postgres-dev', 'roles.sql')
    const urls = [secretOf('identity-registry-secrets', 'database-url'), secretOf('auth-exchange-secrets', 'database-url'), secretOf('migrate-secrets', 'migrate-database-url')]
    for (const { username, password } of urls.map((url) => new URL(url))) expect(roles).toContain(`create role ${username} login password '${password}';`)
    for (const service of SERVICES) expect(secretOf('redis-dev', 'redis.conf')).toContain(`requirepass ${new URL(secretOf(`${service}-secrets`, 'redis-url')).password}\n`)
    expect(secretOf('authorization-check-secrets', 'redis-mac-keys')).toBe(secretOf('auth-exchange-secrets', 'redis-mac-keys'))
  })
})

describe('the lint', () => {
  it('renders every overlay and every component', async () => {
    const folders = await Promise.all(['overlays', 'components'].map((folder) => readdir(join(ROOT, 'deploy/kubernetes', folder))))
    const missing = folders.flat().filter((name) => !TARGETS.some((target) => target.name === name || target.name === `with ${name}`))
    expect(missing).toEqual([])
    for (const { path } of TARGETS) expect(await readFile(join(ROOT, path, 'kustomization.yaml'), 'utf8')).toContain('kind: Kustomization')
  })
})
