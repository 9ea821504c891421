import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { API_AUDIENCE, type ApiServer, type ServiceAccount, startApiServer } from '../support/api-server.js'
import { clusterOf, type Configuration, loginBy, makeAttached, rejected } from '../support/assertion-methods.js'
import { freshNames } from '../support/builders.js'
import { json } from '../support/https-server.js'
import { scratchDirectory, type ScratchDirectory } from '../support/scratch-directory.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { untouchedTokens } from '../support/untouched.js'

const unreachable = { kind: 'UNAVAILABLE', reason: 'ISSUER_UNREACHABLE' }

let scratch: ScratchDirectory
let cluster: ApiServer
let evil: ApiServer
let system: System
let admin: Session

beforeAll(async () => {
  scratch = await scratchDirectory()
  ;[cluster, evil] = await Promise.all([startApiServer(scratch.path, 'cluster'), startApiServer(scratch.path, 'evil')])
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(async () => {
  await system.close()
  await Promise.all([cluster.close(), evil.close()])
  await scratch.remove()
})
beforeEach(() => {
  cluster.recover()
  cluster.reviewed.length = 0
  evil.recover()
})

const next = freshNames('pod')
const WORKER: ServiceAccount = { namespace: 'billing', name: 'worker', uid: '6f2a-uid', audiences: ['countersign'] }
const tokenOf = (change: Partial<ServiceAccount> = {}) => cluster.tokenOf({ ...WORKER, ...change })
const REVIEWER = { namespace: 'countersign', name: 'reviewer', uid: 'r', audiences: [API_AUDIENCE] }

/** The token of a service account that may review. */
function newReviewer(): string {
  const token = cluster.tokenOf(REVIEWER)
  cluster.reviewers.add(token)
  return token
}
const attach = (change: Parameters<typeof clusterOf>[1] = {}) => makeAttached(admin, next(), clusterOf(cluster, { reviewerToken: newReviewer(), ...change }))
const login = (identityId: string, jwt: string) => loginBy(system, 'kubernetesAuth', identityId, jwt)
const update = (identityId: string, configuration: Configuration) => admin.exchange(Exchange.updateAuthMethod, { identityId, method: 'kubernetes-auth', etag: '', ...untouchedTokens, configuration })

describe('Login with Kubernetes', () => {
  it('asks the cluster, as the reviewer, whose token it is', async () => {
    const reviewerToken = newReviewer()
    const { identityId } = await attach({ reviewerToken })
    const token = tokenOf()
    const { tokenId } = await login(identityId, token)
    expect(cluster.reviewed).toEqual([{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences: ['countersign'] } }])
    expect(cluster.server.asked.at(-1)).toMatchObject({ line: 'POST /apis/authentication.k8s.io/v1/tokenreviews', authorization: `Bearer ${reviewerToken}` })
    const [record] = await withClient(system.databases.superuserUrl, async (client) => (await client.query('select auth_claims from exchange.access_token where id = $1', [tokenId])).rows)
    expect(record).toEqual({ auth_claims: { 'kubernetes.namespace': 'billing', 'kubernetes.name': 'worker', 'kubernetes.uid': '6f2a-uid' } })
  })

  it('lets the token review itself where there is no reviewer', async () => {
    const { identityId } = await attach({ reviewerToken: '' })
    const token = tokenOf()
    await expect(login(identityId, token)).rejects.toMatchObject(rejected)
    cluster.reviewers.add(token)
    await login(identityId, token)
    expect(cluster.server.asked.at(-1)?.authorization).toBe(`Bearer ${token}`)
    await expect(login(identityId, cluster.tokenOf({ ...WORKER }).replace(/.$/, (last) => (last === 'Q' ? 'g' : 'Q')))).rejects.toMatchObject(rejected)
  })

  // Attack 68: a token that outlived its pod.
  it('refuses a token whose service account or pod is gone, at the next login', async () => {
    const { identityId } = await attach()
    const token = tokenOf()
    await login(identityId, token)
    cluster.deleteAccount(token)
    await expect(login(identityId, token)).rejects.toMatchObject(rejected)
  })

  it.each<[string, Partial<ServiceAccount>]>([
    ['is for the API server alone', { audiences: [API_AUDIENCE] }],
    ['is for somebody else', { audiences: ['vault'] }],
    ['is of another namespace', { namespace: 'evil' }],
    ['is of another service account', { name: 'default' }],
  ])('refuses a token that %s', async (_what, change) => {
    const { identityId } = await attach()
    await expect(login(identityId, tokenOf(change))).rejects.toMatchObject(rejected)
  })

  // Attack 67. Seen to be taken without the comparison of audiences in judgeReviewed: an API server that knows none names none.
  it.each<[string, object]>([
    ['names no audience', {}],
    ['names an audience of somebody else', { audiences: ['vault'] }],
    ['says that it has not authenticated', { authenticated: false, audiences: ['countersign'] }],
    ['says nothing of that', { authenticated: undefined, audiences: ['countersign'] }],
    ['speaks of a user', { audiences: ['countersign'], user: { username: 'admin', uid: 'u' } }],
    ['speaks of a node', { audiences: ['countersign'], user: { username: 'system:node:one', uid: 'u' } }],
    ['knows no uid', { audiences: ['countersign'], user: { username: 'system:serviceaccount:billing:worker' } }],
  ])('refuses a token of which the cluster %s', async (_what, change) => {
    const { identityId } = await attach()
    const status = { authenticated: true, user: { username: 'system:serviceaccount:billing:worker', uid: 'u' }, ...change }
    cluster.server.answer(json({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status }, 201))
    await expect(login(identityId, tokenOf())).rejects.toMatchObject(rejected)
  })

  it.each<[string, object, number]>([
    ['is down', { kind: 'Status' }, 503],
    ['is busy', { kind: 'Status' }, 429],
    ['is something else', { hello: 'world' }, 201],
    ['knows no TokenReview', { kind: 'Status' }, 404],
    ['does not let the reviewer ask', { kind: 'Status' }, 403],
    ['does not know the reviewer any more', { kind: 'Status' }, 401],
  ])('keeps the credential good where the cluster %s', async (_what, body, status) => {
    const { identityId } = await attach()
    cluster.server.answer(json(body, status))
    await expect(login(identityId, tokenOf())).rejects.toMatchObject(unreachable)
  })

  it('sends what is no JWT nowhere', async () => {
    const { identityId } = await attach()
    const asked = cluster.server.asked.length
    for (const text of ['secret', 'a.b', `${tokenOf()}\r\nx-evil: 1`, ` ${tokenOf()}`, `${tokenOf()}=`]) await expect(login(identityId, text), text).rejects.toMatchObject(rejected)
    expect(cluster.server.asked.length).toBe(asked)
  })
})

// Attack 67: whoever may change the method must not have the reviewer's token sent to a host of their own. Seen to be sent there
// without the comparison in sealedOver.
describe('the reviewer\'s token', () => {
  const kept = { reviewerToken: '', hasReviewerToken: true }

  it('is never shown, and lies encrypted', async () => {
    const reviewerToken = newReviewer()
    const attached = await attach({ reviewerToken })
    const [shown] = (await admin.exchange(Exchange.listAuthMethods, { identityId: attached.identityId })).authMethods
    for (const method of [attached, shown]) expect(method?.configuration).toMatchObject({ $case: 'kubernetesAuth', value: kept })
    const rows = await withClient(system.databases.superuserUrl, async (client) => [
      ...(await client.query('select a::text, sealed_configuration as sealed from exchange.auth_method a where identity_id = $1', [attached.identityId])).rows,
      ...(await client.query('select e::text from exchange.audit_event e where target_id = $1', [attached.identityId])).rows,
    ])
    expect(rows).toHaveLength(2)
    const secret = reviewerToken.split('.')[2] ?? ''
    expect(JSON.stringify(rows)).not.toContain(secret)
    expect(rows[0].sealed.toString('latin1')).not.toContain(secret)
    expect(system.logged()).not.toContain(secret)
  })

  it('stays through updates that keep it, is replaced by another, and goes where none is wanted', async () => {
    const { identityId } = await attach()
    await update(identityId, clusterOf(cluster, { ...kept, namespaces: ['*'] }))
    await login(identityId, tokenOf({ namespace: 'other' }))
    const reviewerToken = newReviewer()
    await update(identityId, clusterOf(cluster, { reviewerToken }))
    await login(identityId, tokenOf())
    expect(cluster.server.asked.at(-1)?.authorization).toBe(`Bearer ${reviewerToken}`)
    const { configuration } = await update(identityId, clusterOf(cluster))
    expect(configuration).toMatchObject({ value: { hasReviewerToken: false } })
    const token = tokenOf()
    await expect(login(identityId, token)).rejects.toMatchObject(rejected)
    expect(cluster.server.asked.at(-1)?.authorization).toBe(`Bearer ${token}`)
  })

  it('is kept for the very host and CA that it was given for', async () => {
    const { identityId } = await attach()
    const again = { kind: 'INVALID_ARGUMENT', violations: [{ field: 'configuration', description: expect.stringContaining('again') }] }
    await expect(update(identityId, clusterOf(evil, kept))).rejects.toMatchObject(again)
    await expect(update(identityId, clusterOf({ ...cluster, host: evil.host }, kept))).rejects.toMatchObject(again)
    await expect(update(identityId, clusterOf({ ...cluster, caCertificate: evil.caCertificate }, kept))).rejects.toMatchObject(again)
    expect(evil.server.asked).toEqual([])
  })

  it('can\'t be kept where there is none', async () => {
    const none = { kind: 'INVALID_ARGUMENT', violations: [{ field: 'configuration', description: expect.stringContaining('none yet') }] }
    await expect(attach(kept)).rejects.toMatchObject(none)
    const { identityId } = await attach({ reviewerToken: '' })
    await expect(update(identityId, clusterOf(cluster, kept))).rejects.toMatchObject(none)
  })

  it('can\'t be moved to another method', async () => {
    const [one, two] = [await attach(), await attach({ reviewerToken: '' })]
    await withClient(system.databases.superuserUrl, async (client) => {
      await client.query('update exchange.auth_method a set sealed_configuration = b.sealed_configuration, key_encryption_key_id = b.key_encryption_key_id from exchange.auth_method b where a.identity_id = $1 and b.identity_id = $2', [two.identityId, one.identityId])
    })
    await expect(login(two.identityId, tokenOf())).rejects.toMatchObject({ kind: 'INTERNAL' })
  })
})

it('refuses a redirect, whoever is redirected to', async () => {
  const { identityId } = await attach()
  cluster.server.answer((_request, response) => void response.writeHead(307, { location: `${evil.host}/apis/authentication.k8s.io/v1/tokenreviews` }).end())
  await expect(login(identityId, tokenOf())).rejects.toMatchObject(unreachable)
  expect(evil.server.asked).toEqual([])
})
