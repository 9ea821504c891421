import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Report } from '#libs/domain-error.js'
import { type AskedJwt, jwtFrom } from './asked-jwt.js'
import { type AskedKubernetes, kubernetesFrom } from './asked-kubernetes.js'
import { type AskedOidc, oidcFrom } from './asked-oidc.js'
import { caCertificate, httpsUrl } from './asked-place.js'

let folder: string
let pem: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-pem-'))
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', join(folder, 'key')]
  execFileSync('openssl', ['req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=ca', '-out', join(folder, 'pem')], { stdio: 'ignore' })
  pem = readFileSync(join(folder, 'pem'), 'utf8')
})
afterAll(() => rmSync(folder, { recursive: true }))

function problemsOf(configure: (at: (field: string) => Report) => unknown): string[] {
  const found: string[] = []
  configure((field) => (problem) => void found.push(`${field} ${problem}`))
  return found
}
const isRefused = (check: (report: Report) => unknown) => problemsOf((at) => check(at('it'))).length > 0

describe('a URL to be asked', () => {
  it.each(['https://issuer.example', 'https://issuer.example/', 'https://issuer.example:8443/a/b?c=d', 'https://10.0.0.1', 'https://[2001:db8::1]:6443'])('is %s', (text) => expect(isRefused((report) => httpsUrl(text, report))).toBe(false))
  it.each([
    '', 'issuer.example', 'http://issuer.example', 'ftp://issuer.example', 'file:///etc/passwd', '//issuer.example', 'https://', 'https:issuer.example', 'https:/issuer.example', 'HTTPS://issuer.example', 'https://Issuer.example',
    'https://user@issuer.example', 'https://user:pass@issuer.example', 'https://issuer.example#fragment', 'https://issuer.example#', 'https://issuer.example:443', 'https://issuer.example/a/../b', 'https://issuer.example\\@evil.example',
    'https://2130706433', 'https://0x7f.1', 'https://017700000001', 'https://127.1', 'https://[::ffff:127.0.0.1]', 'https://\u0456ssuer.example', ' https://issuer.example', 'https://issuer.example\n', `https://issuer.example/${'a'.repeat(512)}`,
  ])('is not %j', (text) => expect(isRefused((report) => httpsUrl(text, report))).toBe(true))
})

describe('a CA', () => {
  it('is one certificate in PEM, several, or none', () => {
    for (const text of [pem, pem + pem, `\n${pem}\n`, '']) expect(isRefused((report) => caCertificate(text, report))).toBe(false)
    expect(caCertificate('', () => expect.unreachable())).toBeUndefined()
  })

  it('is nothing else', () => {
    const broken = pem.replace(/[A-Za-z]{4}/g, 'AAAA')
    for (const text of ['ca', broken, pem + broken, `${pem}x`, readFileSync(join(folder, 'key'), 'utf8'), pem + readFileSync(join(folder, 'key'), 'utf8'), pem.repeat(200)]) expect(isRefused((report) => caCertificate(text, report)), text.slice(0, 60)).toBe(true)
  })
})

const asked = { issuer: 'https://issuer.example', audiences: ['countersign'], subject: 'job', boundClaims: [], maxAssertionLifeSeconds: 0, mappedClaims: {}, caCertificate: '' }

it.each<[Partial<AskedOidc>, string[]]>([
  [{}, []],
  [{ issuer: 'http://issuer.example' }, ['issuer must be an https URL']],
  [{ issuer: 'https://issuer.example?tenant=a' }, ['issuer must be an https URL', 'issuer must have no query']],
  [{ caCertificate: 'ca' }, ['ca_certificate must be certificates in PEM']],
])('OpenID Connect with %j: %j', (change, problems) => {
  expect(problemsOf((at) => oidcFrom({ ...asked, ...change }, at))).toEqual(problems.map((problem) => expect.stringContaining(problem)))
})

it.each<[Partial<AskedJwt>, string[]]>([
  [{ jwksUrl: 'https://issuer.example/jwks' }, []],
  [{ publicKeys: ['good', 'good'] }, []],
  [{ publicKeys: ['good'], issuer: 'anything' }, []],
  [{}, ['jwks_url must be set, or public_keys, and not both']],
  [{ jwksUrl: 'https://issuer.example/jwks', publicKeys: ['good'] }, ['jwks_url must be set, or public_keys, and not both']],
  [{ jwksUrl: 'http://issuer.example/jwks' }, ['jwks_url must be an https URL']],
  [{ publicKeys: ['good', 'bad'] }, ['public_keys[1] must be a public key']],
  [{ publicKeys: Array.from({ length: 11 }, () => 'good') }, ['public_keys must hold at most 10']],
])('JWT with %j: %j', (change, problems) => {
  expect(problemsOf((at) => jwtFrom({ ...asked, jwksUrl: '', publicKeys: [], ...change }, at, (text) => text === 'good'))).toEqual(problems.map((problem) => expect.stringContaining(problem)))
})

it('JWT asks no URL, and so needs no CA, where its keys are written down', () => {
  expect(problemsOf((at) => jwtFrom({ ...asked, jwksUrl: '', publicKeys: ['good'], caCertificate: pem }, at, () => true))).toEqual(['ca_certificate must be empty where no URL is asked'])
})

it.each<[Partial<AskedKubernetes>, string[]]>([
  [{}, []],
  [{ reviewerToken: 'e30.e30.c2ln' }, []],
  [{ reviewerToken: '' }, []],
  [{ reviewerToken: 'secret' }, ['reviewer_token must be a JWT']],
  [{ reviewerToken: 'e30.e30.c2ln\r\nx-evil: 1' }, ['reviewer_token must be a JWT']],
  [{ host: 'http://cluster.example' }, ['host must be an https URL']],
  [{ audiences: [] }, ['audiences must hold 1 to 16']],
  [{ namespaces: [] }, ['namespaces must hold 1 to 100']],
  [{ names: ['{'] }, ['names[0] has a { without a }']],
])('Kubernetes with %j: %j', (change, problems) => {
  const cluster = { host: 'https://cluster.example:6443', caCertificate: '', audiences: ['countersign'], namespaces: ['*'], names: ['worker'], reviewerToken: '', hasReviewerToken: false }
  expect(problemsOf((at) => kubernetesFrom({ ...cluster, ...change }, at))).toEqual(problems.map((problem) => expect.stringContaining(problem)))
})
