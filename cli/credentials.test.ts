import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { scratchDirectory } from '../test/support/scratch-directory.js'
import type { Context } from './context.js'
import { type CredentialOptions, findCredentials } from './credentials.js'
import type { Environment } from './variables.js'

const identity = '01900000-0000-7000-8000-000000000000'
const context: Context = { source: '', addressOf: () => 'x', credentialsFile: undefined, tokensFile: 'x', stores: {} }
const find = (options: CredentialOptions, environment: Environment = {}) => findCredentials(options, { environment, context, tell: () => undefined })
const methods = [['kubernetes-auth', 'kubernetesAuth'], ['oidc-auth', 'oidcAuth'], ['jwt-auth', 'jwtAuth']] as const

describe('an assertion', () => {
  it.each(methods)('by %s is what its file holds at that moment', async (method, $case) => {
    const scratch = await scratchDirectory()
    const file = `${scratch.path}/jwt`
    const found = find({ method, identity, assertionFile: file })
    expect(found).toMatchObject({ holder: { identityId: identity, method }, source: file })
    for (const jwt of ['a.b.c', 'd.e.f']) {
      writeFileSync(file, `${jwt}\n`)
      expect(await found.proof()).toEqual({ $case, value: { identityId: identity, jwt } })
    }
    writeFileSync(file, ' \n')
    await expect(found.proof()).rejects.toThrow(`${file} is empty.`)
    await scratch.remove()
  })

  it('is in the variables where no option says otherwise', async () => {
    const environment = { COUNTERSIGN_METHOD: 'oidc-auth', COUNTERSIGN_IDENTITY: identity, COUNTERSIGN_ASSERTION: 'a.b.c' }
    expect(find({}, environment)).toMatchObject({ holder: { identityId: identity, method: 'oidc-auth' }, source: 'COUNTERSIGN_ASSERTION' })
    expect(await find({}, environment).proof()).toEqual({ $case: 'oidcAuth', value: { identityId: identity, jwt: 'a.b.c' } })
    expect(find({ method: 'jwt-auth' }, { ...environment, COUNTERSIGN_ASSERTION_FILE: 'file' })).toMatchObject({ holder: { method: 'jwt-auth' }, source: 'file' })
    expect(find({ assertionFile: '-' }, environment).source).toBe('standard input')
  })

  it('is that of the service account where Kubernetes runs it', () => {
    const file = '/var/run/secrets/kubernetes.io/serviceaccount/token'
    expect(find({ method: 'kubernetes-auth', identity }).source).toBe(file)
    expect(find({ method: 'kubernetes-auth', identity, assertionFile: 'own' }).source).toBe('own')
  })

  it('is no longer meant where a client is named', () => {
    const environment = { COUNTERSIGN_METHOD: 'oidc-auth', COUNTERSIGN_IDENTITY: identity }
    expect(find({ clientId: 'a' }, environment).holder).toEqual({ clientId: 'a' })
    expect(find({ method: 'universal-auth' }, { ...environment, COUNTERSIGN_CLIENT_ID: 'b' }).holder).toEqual({ clientId: 'b' })
  })
})

describe('names what is missing', () => {
  it.each<[CredentialOptions, Environment, string]>([
    [{ method: 'oidc-auth' }, {}, 'oidc-auth needs --identity ID (or COUNTERSIGN_IDENTITY) and --assertion-file FILE (or COUNTERSIGN_ASSERTION_FILE or COUNTERSIGN_ASSERTION).'],
    [{ method: 'kubernetes-auth' }, {}, 'kubernetes-auth needs --identity ID (or COUNTERSIGN_IDENTITY).'],
    [{}, { COUNTERSIGN_IDENTITY: identity, COUNTERSIGN_ASSERTION: 'a' }, 'COUNTERSIGN_METHOD is missing, and without it there is no use for COUNTERSIGN_IDENTITY, COUNTERSIGN_ASSERTION.'],
    [{ method: 'jwt-auth', identity: 'web' }, {}, "--identity must be the id of an identity: who has no token yet can't look up its name."],
    [{}, { COUNTERSIGN_METHOD: 'jwt-auth', COUNTERSIGN_IDENTITY: 'web' }, 'COUNTERSIGN_IDENTITY must be the id'],
    [{ method: 'oidc' }, {}, '--method is none of universal-auth, kubernetes-auth, oidc-auth, jwt-auth, and for `agent` token-auth: oidc'],
    [{}, { COUNTERSIGN_METHOD: 'oidc' }, 'COUNTERSIGN_METHOD is none of'],
    [{ method: 'token-auth' }, {}, 'only `agent` takes it'],
  ])('%j %j', (options, environment, words) => {
    expect(() => find(options, environment)).toThrow(words)
  })

  it('the assertion, once a login needs it and no token of an earlier one is kept', async () => {
    const found = find({ method: 'oidc-auth', identity })
    await expect(found.proof()).rejects.toThrow('oidc-auth needs --assertion-file FILE')
  })
})

describe('refuses what belongs to another method', () => {
  it.each<[CredentialOptions, Environment, string]>([
    [{ method: 'oidc-auth', clientId: 'a', clientSecretFile: 'b', credentialsFile: 'c' }, {}, "--credentials-file, --client-id, --client-secret-file can't go with oidc-auth, which takes --identity, --assertion-file:"],
    [{ identity, assertionFile: 'a' }, {}, "--identity, --assertion-file can't go with universal-auth, which takes --credentials-file, --client-id, --client-secret-file:"],
    [{ clientId: 'a', identity }, { COUNTERSIGN_METHOD: 'oidc-auth' }, "--identity can't go with universal-auth"],
    [{ method: 'jwt-auth', tokenFile: 'a' }, {}, "--token-file can't go with jwt-auth"],
    [{ method: 'token-auth', tokenFile: 'a', identity }, {}, "--identity can't go with token-auth, which takes --token-file:"],
  ])('%j %j', (options, environment, words) => {
    expect(() => find(options, environment)).toThrow(words)
  })
})
