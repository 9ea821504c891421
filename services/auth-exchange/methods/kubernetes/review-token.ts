import { z } from 'zod'
import { NoAnswer, type Outbound } from '#libs/outbound/outbound.js'
import type { ReviewedToken } from '../../domain/kubernetes-rules.js'
import { Unproven } from '../../domain/unproven.js'

export type Review = {
  readonly host: string
  readonly caCertificate: string | undefined
  readonly audiences: readonly string[]
  readonly token: string
  /** Whose right to ask is used: a reviewer's, or where there is none the token's own. */
  readonly reviewerToken: string | undefined
  readonly account: string
}

const PATH = '/apis/authentication.k8s.io/v1/tokenreviews'

const answered = z.object({
  apiVersion: z.literal('authentication.k8s.io/v1'),
  kind: z.literal('TokenReview'),
  status: z.object({
    authenticated: z.boolean().default(false),
    user: z.object({ username: z.string().default(''), uid: z.string().default('') }).default({ username: '', uid: '' }),
    audiences: z.array(z.string()).default([]),
  }),
})

/** Asks the API server of a cluster whose a token is, and whether that still runs. */
export async function reviewToken(outbound: Outbound, { host, caCertificate, audiences, token, reviewerToken, account }: Review): Promise<ReviewedToken> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences } }
  // A cluster behind a proxy has a path of its own.
  const url = host.replace(/\/$/, '') + PATH
  const { status, json } = await outbound.ask({ url, caCertificate, bearer: reviewerToken ?? token, body, account })
  if (status === 401 || status === 403) {
    if (reviewerToken === undefined) throw new Unproven(status === 401 ? 'not authenticated by the cluster' : 'may not review itself: bind it to system:auth-delegator')
    throw new NoAnswer(`the cluster does not let the reviewer ask (${status})`)
  }
  if (status !== 201 && status !== 200) throw new NoAnswer(`the cluster answered with ${status}`)
  const review = answered.safeParse(json)
  if (!review.success) throw new NoAnswer('the answer is no TokenReview')
  const { authenticated, user, audiences: held } = review.data.status
  return { authenticated, ...user, audiences: held }
}
