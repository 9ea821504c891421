import { mkdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { type ApiServer, startApiServer } from '../support/api-server.js'
import { clusterOf, type Configuration, jwtOf, oidcOf } from '../support/assertion-methods.js'
import { freshNames } from '../support/builders.js'
import { type Issuer, startIssuer } from '../support/issuer.js'
import { MINUTE } from '../support/manual-clock.js'
import { untouchedTokens } from '../support/untouched.js'
import { failedWith, obtained } from './agent-process.js'
import { type AgentWorld, agentWorld } from './agent-world.js'
import { runCli } from './run-cli.js'

// `countersign login` and `countersign agent` with a JWT of an issuer, and with the token of a service account.

let world: AgentWorld
let issuer: Issuer
let cluster: ApiServer
beforeAll(async () => {
  world = await agentWorld()
  ;[issuer, cluster] = await Promise.all([startIssuer(world.folder, 'issuer'), startApiServer(world.folder)])
}, 120_000)
afterAll(async () => {
  await Promise.all([issuer.close(), cluster.close()])
  await world.close()
})

const next = freshNames('by-assertion')

async function attached(configuration: Configuration, accessTokenTtlSeconds = 3_600): Promise<string> {
  const { id: identityId } = await world.admin.registry(Registry.createIdentity, { name: next(), role: '' })
  await world.admin.exchange(Exchange.attachAuthMethod, { identityId, ...untouchedTokens, accessTokenTtlSeconds, configuration })
  return identityId
}
const writtenDown = () => jwtOf({ issuer: 'anybody', publicKeys: [String(issuer.publicKey().export({ format: 'pem', type: 'spki' }))] })
const nowSeconds = () => Math.floor(world.system.clock.now().getTime() / 1000)
const assertion = (iss: string, change: object = {}) => issuer.issue({ iss, aud: 'countersign', sub: 'job-1', iat: nowSeconds(), exp: nowSeconds() + 300, ...change })

function serviceAccountToken(): string {
  const token = cluster.tokenOf({ namespace: 'billing', name: 'worker', uid: 'u', audiences: ['countersign'] })
  cluster.reviewers.add(token)
  return token
}

const methods: readonly (readonly [method: string, make: () => Configuration, show: () => Promise<string>])[] = [
  ['oidc-auth', () => oidcOf(issuer), () => assertion(issuer.url)],
  ['jwt-auth', writtenDown, () => assertion('anybody')],
  ['kubernetes-auth', () => clusterOf(cluster), () => Promise.resolve(serviceAccountToken())],
]

const cli = (args: readonly string[], more: Record<string, string> = {}) => {
  const { registry, exchange, check } = world.system.addresses
  return runCli(args, { folder: world.folder, environment: { COUNTERSIGN_REGISTRY: registry, COUNTERSIGN_EXCHANGE: exchange, COUNTERSIGN_CHECK: check, ...more } })
}

describe('login', () => {
  it.each(methods)('by %s prints a token of that method, and says as whom', async (method, make, show) => {
    const identityId = await attached(make())
    const login = ['login', '--method', method, '--identity', identityId, '--assertion-file', world.write(`${method}.jwt`, `${await show()}\n`)]
    const { stdout } = await cli([...login, '--print-token'])
    expect(decodeJwt(stdout.trim())).toMatchObject({ sub: identityId, amr: [method] })
    expect(await world.isGood(stdout.trim())).toBe(true)
    expect(JSON.parse((await cli([...login, '--json'])).stdout)).toEqual({ tokenId: expect.any(String), expireTime: expect.any(String), expiresInSeconds: 3_600, identityId, method })
    expect((await cli(login)).stdout).toContain(`COUNTERSIGN_METHOD=${method} COUNTERSIGN_IDENTITY=${identityId} npx countersign check`)
  })

  it('keeps a token that later commands find, without the assertion', async () => {
    const identityId = await attached(oidcOf(issuer))
    const environment = { COUNTERSIGN_METHOD: 'oidc-auth', COUNTERSIGN_IDENTITY: identityId }
    expect(await cli(['whoami'], environment)).toMatchObject({ code: 2, stderr: expect.stringContaining('oidc-auth needs --assertion-file FILE') })
    expect((await cli(['login'], { ...environment, COUNTERSIGN_ASSERTION: await assertion(issuer.url) })).code).toBe(0)
    expect((await cli(['whoami'], environment)).stdout).toMatch(new RegExp(`\\(${identityId}\\)[^]*method +oidc-auth`))
  })

  it('names whose assertion was rejected, and not the assertion', async () => {
    const identityId = await attached(oidcOf(issuer))
    const jwt = await assertion(issuer.url, { sub: 'somebody' })
    const { code, stderr } = await cli(['login', '--method', 'oidc-auth', '--identity', identityId, '--assertion-file', world.write('wrong.jwt', jwt)])
    expect({ code, stderr }).toEqual({ code: 1, stderr: `Client credentials were rejected. They are those of identity ${identityId} by oidc-auth, from ${world.path('wrong.jwt')}. (CREDENTIALS_REJECTED)\n` })
  })
})

describe('agent', () => {
  // Kubernetes and issuers replace what they wrote before it expires: seen to fail where the file is read at the start.
  it('shows what is in the file at each login', async () => {
    const identityId = await attached(writtenDown(), 4)
    const file = world.write('rewritten.jwt', await assertion('anybody'))
    const agent = world.agent(['--method', 'jwt-auth', '--identity', identityId, '--assertion-file', file, '--file', 'rewritten'])
    const { tokenId } = await agent.note(obtained)
    world.system.clock.advance(10 * MINUTE)
    const { error } = await agent.note(failedWith('CREDENTIALS_REJECTED'))
    expect(error?.message).toContain(`identity ${identityId} by jwt-auth, from ${file}`)
    world.write('rewritten.jwt', await assertion('anybody'))
    const second = await agent.nextNote(obtained)
    expect([second.origin, second.tokenId === tokenId, await world.isGood(world.read('rewritten'))]).toEqual(['login', false, true])
    expect((await agent.stop()).notes.map(({ note }) => note).join()).not.toContain('eyJ')
  })

  it('follows the links of a projected token, and takes everything from the environment', async () => {
    const identityId = await attached(clusterOf(cluster))
    mkdirSync(world.path('projected/one'), { recursive: true })
    writeFileSync(world.path('projected/one/token'), serviceAccountToken(), { mode: 0o644 })
    symlinkSync('one', world.path('projected/data'))
    symlinkSync('data/token', world.path('projected/token'))
    const environment = { COUNTERSIGN_METHOD: 'kubernetes-auth', COUNTERSIGN_IDENTITY: identityId, COUNTERSIGN_ASSERTION_FILE: world.path('projected/token') }
    const agent = world.agent(['--file', 'of-pod', '--no-renew'], undefined, { environment })
    const { tokenId } = await agent.note(obtained)
    mkdirSync(world.path('projected/two'))
    const rewritten = serviceAccountToken()
    writeFileSync(world.path('projected/two/token'), rewritten, { mode: 0o644 })
    unlinkSync(world.path('projected/data'))
    symlinkSync('two', world.path('projected/data'))
    cluster.reviewed.length = 0
    agent.signal('SIGHUP')
    expect((await agent.nextNote(obtained)).tokenId).not.toBe(tokenId)
    expect(cluster.reviewed.map(({ spec }) => spec.token)).toEqual([rewritten])
    // Others may read what Kubernetes writes: that is nothing to warn of.
    expect((await agent.stop()).notes.filter(({ note }) => note?.startsWith('warning'))).toEqual([])
  })

  it('takes an assertion from standard input, once', async () => {
    const identityId = await attached(oidcOf(issuer))
    const { code } = await world.agent(['--method', 'oidc-auth', '--identity', identityId, '--assertion-file', '-', '--once', '--file', 'piped'], undefined, { stdin: await assertion(issuer.url) }).ended()
    expect([code, await world.isGood(world.read('piped'))]).toEqual([0, true])
  })

  it.each([
    [['--method', 'oidc-auth'], 'oidc-auth needs --identity ID (or COUNTERSIGN_IDENTITY) and --assertion-file FILE'],
    [['--method', 'oidc-auth', '--identity', '01900000-0000-7000-8000-000000000000', '--assertion-file', 'missing.jwt'], "missing.jwt can't be read"],
    [['--method', 'oidc-auth', '--client-id', 'a'], "--client-id can't go with oidc-auth"],
  ])('%j is said before anything begins', async (args, words) => {
    expect(await world.refusal(['--file', 'x', ...args])).toMatchObject({ exitCode: 2, description: { message: expect.stringContaining(words) } })
  })
})
