import { describe, expect, it } from 'vitest'
import { judgeReviewed, type KubernetesRules, type ReviewedToken } from './kubernetes-rules.js'
import { Unproven } from './unproven.js'

const rules: KubernetesRules = { audiences: ['countersign'], namespaces: ['billing', 'team-*'], names: ['worker', 'job-?'] }
const reviewed: ReviewedToken = { authenticated: true, username: 'system:serviceaccount:billing:worker', uid: '6f2a', audiences: ['countersign'] }

const judged = (change: Partial<ReviewedToken>): string => {
  try {
    return JSON.stringify([...judgeReviewed({ ...reviewed, ...change }, rules)])
  } catch (error) {
    if (!(error instanceof Unproven)) throw error
    return error.reason
  }
}

// Attack 67. Seen to fail without the audience, the namespace and the name.
describe('what a cluster says of a token', () => {
  it('is who runs', () => {
    expect(judged({})).toBe('[["kubernetes.namespace","billing"],["kubernetes.name","worker"],["kubernetes.uid","6f2a"]]')
  })

  it.each<[Partial<ReviewedToken>, string]>([
    [{ authenticated: false }, 'not authenticated by the cluster'],
    [{ audiences: [] }, 'audience not allowed'],
    [{ audiences: ['https://kubernetes.default.svc'] }, 'audience not allowed'],
    [{ username: 'admin' }, 'no service account'],
    [{ username: 'system:node:worker' }, 'no service account'],
    [{ username: 'system:serviceaccount:billing' }, 'no service account'],
    [{ username: 'system:serviceaccount:billing:worker:extra' }, 'no service account'],
    [{ username: 'system:serviceaccount:billing:' }, 'no service account'],
    [{ username: ' system:serviceaccount:billing:worker' }, 'no service account'],
    [{ username: 'system:serviceaccount:billing:worker\n' }, 'no service account'],
    [{ username: 'system:serviceaccount:Billing:worker' }, 'no service account'],
    [{ username: 'x:system:serviceaccount:billing:worker' }, 'no service account'],
    [{ uid: '' }, 'no service account'],
    [{ username: 'system:serviceaccount:billing-evil:worker' }, 'namespace not allowed'],
    [{ username: 'system:serviceaccount:evil:worker' }, 'namespace not allowed'],
    [{ username: 'system:serviceaccount:billing:worker-2' }, 'name not allowed'],
    [{ username: 'system:serviceaccount:billing:job-12' }, 'name not allowed'],
  ])('%j: %s', (change, reason) => expect(judged(change)).toBe(reason))

  it.each(['system:serviceaccount:team-red:worker', 'system:serviceaccount:billing:job-1'])('matches by globs: %s', (username) => expect(judged({ username })).toContain('kubernetes.uid'))
})
