import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { certificateAuthority } from './certificate-authority.js'
import { type Handler, type HttpsServer, json, startHttpsServer } from './https-server.js'

// A stand-in for the API server of a Kubernetes cluster: the TokenReview of authentication.k8s.io/v1, in the shapes that it has there.

export type ServiceAccount = { readonly namespace: string; readonly name: string; readonly uid: string; readonly audiences: readonly string[] }

export type ApiServer = {
  readonly host: string
  readonly caCertificate: string
  readonly server: HttpsServer
  /** A token of a service account, as the kubelet mounts it. */
  tokenOf(account: ServiceAccount): string
  /** As when the account, or the pod that the token is bound to, is deleted. */
  deleteAccount(token: string): void
  /** Whose tokens may create TokenReviews. */
  readonly reviewers: Set<string>
  /** What it was asked to review. */
  readonly reviewed: z.output<typeof review>[]
  /** Answers as API servers do. */
  recover(): void
  close(): Promise<void>
}

const review = z.object({
  apiVersion: z.literal('authentication.k8s.io/v1'),
  kind: z.literal('TokenReview'),
  spec: z.object({ token: z.string(), audiences: z.array(z.string()).optional() }),
})

export const API_AUDIENCE = 'https://kubernetes.default.svc.cluster.local'

const statusOf = (code: number, reason: string) => ({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: reason, reason, code })

export async function startApiServer(folder: string, name = 'cluster'): Promise<ApiServer> {
  const authority = await certificateAuthority(folder, `${name}-ca`)
  const accounts = new Map<string, ServiceAccount>()
  const reviewers = new Set<string>()
  const reviewed: ApiServer['reviewed'] = []
  let made = 0
  const answerTo = (asked: z.output<typeof review>) => {
    const { token, audiences = [API_AUDIENCE] } = asked.spec
    const account = accounts.get(token)
    const held = account?.audiences.filter((audience) => audiences.includes(audience)) ?? []
    if (!account || held.length === 0) return { ...asked, metadata: {}, status: { user: {}, error: '[invalid bearer token, token audiences are invalid]' } }
    const { namespace, name: accountName, uid } = account
    const user = {
      username: `system:serviceaccount:${namespace}:${accountName}`,
      uid,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/pod-name': [`${accountName}-7d4b`], 'authentication.kubernetes.io/pod-uid': ['0f6c'] },
    }
    return { ...asked, metadata: { creationTimestamp: null }, status: { authenticated: true, user, audiences: held } }
  }
  const handler: Handler = (request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      const bearer = (request.headers.authorization ?? '').replace(/^Bearer /, '')
      if (request.method !== 'POST' || request.url !== '/apis/authentication.k8s.io/v1/tokenreviews') return json(statusOf(404, 'NotFound'), 404)(request, response)
      if (!reviewers.has(bearer)) return json(accounts.has(bearer) ? statusOf(403, 'Forbidden') : statusOf(401, 'Unauthorized'), accounts.has(bearer) ? 403 : 401)(request, response)
      const asked = review.parse(JSON.parse(text))
      reviewed.push(asked)
      json(answerTo(asked), 201)(request, response)
    })
  }
  const server = await startHttpsServer(await authority.issue(name, ['IP:127.0.0.1']), handler)
  const part = (json: object) => Buffer.from(JSON.stringify(json)).toString('base64url')
  return {
    host: `https://127.0.0.1:${server.port}`,
    caCertificate: readFileSync(authority.caFile, 'utf8'),
    server,
    tokenOf: (account) => {
      const token = [part({ alg: 'RS256', kid: 'sa' }), part({ sub: `system:serviceaccount:${account.namespace}:${account.name}`, jti: (made += 1) }), part({ signature: made })].join('.')
      accounts.set(token, account)
      return token
    },
    deleteAccount: (token) => {
      accounts.delete(token)
      reviewers.delete(token)
    },
    reviewers,
    reviewed,
    recover: () => server.answer(handler),
    close: () => server.close(),
  }
}
