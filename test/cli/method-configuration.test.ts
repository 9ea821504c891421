import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addIdentity } from './fake-world.js'
import { newOperator, type Operator } from './operator.js'

let operator: Operator
beforeEach(async () => {
  operator = await newOperator()
  addIdentity(operator.services.world, 'web')
})
afterEach(() => operator.leave())

const world = () => operator.services.world
const write = (content: object | string) => writeFileSync(join(operator.folder, 'method.json'), typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 })
const attach = (method: string) => operator.run(`auth-method attach ${method} web --configuration method.json`)

const RULES = { subject: '', boundClaims: [], maxAssertionLifeSeconds: 0, mappedClaims: {}, caCertificate: '' }
const OIDC = { issuer: 'https://issuer.example', audiences: ['countersign'] }

describe('a configuration in a file', () => {
  it.each([
    ['oidc-auth', { ...OIDC, boundClaims: [{ path: 'a', globs: ['b'] }] }, { $case: 'oidcAuth', value: { ...RULES, ...OIDC, boundClaims: [{ path: 'a', globs: ['b'] }] } }],
    ['jwt-auth', { ...OIDC, jwksUrl: 'https://issuer.example/jwks' }, { $case: 'jwtAuth', value: { ...RULES, ...OIDC, jwksUrl: 'https://issuer.example/jwks', publicKeys: [] } }],
    ['kubernetes-auth', { host: 'https://cluster.example', audiences: ['a'], namespaces: ['b'], names: ['c'] }, { $case: 'kubernetesAuth', value: { host: 'https://cluster.example', caCertificate: '', audiences: ['a'], namespaces: ['b'], names: ['c'], reviewerToken: '', hasReviewerToken: false } }],
  ])('attaches %s', async (method, content, configuration) => {
    write(content)
    const { code, stdout } = await attach(method)
    expect([code, world().authMethods[0]?.configuration]).toEqual([0, configuration])
    expect(stdout).toContain('next: npx countersign binding create web --project PROJECT --role viewer')
  })

  it('takes the place of another', async () => {
    write(OIDC)
    await attach('oidc-auth')
    write({ ...OIDC, subject: 'job' })
    expect(await operator.run('auth-method update oidc-auth web --configuration method.json')).toMatchObject({ code: 0 })
    expect(world().authMethods[0]?.configuration).toMatchObject({ value: { subject: 'job' } })
  })

  it.each<[string, object | string, string]>([
    ['oidc-auth', { ...OIDC, audience: 'typo' }, 'audience'],
    ['oidc-auth', { issuer: 'https://issuer.example' }, 'audiences'],
    ['oidc-auth', 'no JSON', 'is not JSON'],
    ['token-auth', OIDC, 'token-auth has no configuration'],
    ['saml-auth', OIDC, 'can\'t be attached here'],
  ])('is wrong usage for %s where it is %j, and asks nobody', async (method, content, problem) => {
    write(content)
    expect(await attach(method)).toMatchObject({ code: 2, stderr: expect.stringContaining(problem) })
    expect(world().calls).toEqual([])
  })

  it('is needed', async () => {
    expect(await operator.run('auth-method attach oidc-auth web')).toMatchObject({ code: 2, stderr: expect.stringContaining('--configuration FILE') })
  })

  it('holds a secret that others should not read', async () => {
    write({ host: 'https://cluster.example', audiences: ['a'], namespaces: ['b'], names: ['c'], reviewerToken: 'e30.e30.c2ln' })
    chmodSync(join(operator.folder, 'method.json'), 0o644)
    expect(await attach('kubernetes-auth')).toMatchObject({ code: 0, stderr: expect.stringContaining('chmod 600') })
  })
})
