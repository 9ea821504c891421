import { z } from 'zod'
import type { Outbound } from '#libs/outbound/outbound.js'
import { type AskedKubernetes, kubernetesFrom } from '../../domain/asked-kubernetes.js'
import { isAssertionText } from '../../domain/assertion.js'
import { judgeReviewed } from '../../domain/kubernetes-rules.js'
import { Unproven } from '../../domain/unproven.js'
import type { ProvingMethod } from '../../ports.js'
import { reviewToken } from './review-token.js'

const stored = z.object({
  host: z.string(),
  caCertificate: z.string().optional(),
  audiences: z.array(z.string()).min(1),
  namespaces: z.array(z.string()).min(1),
  names: z.array(z.string()).min(1),
  hasReviewerToken: z.boolean(),
})

/** Kubernetes: the token of a service account, about which its cluster is asked at each login, so that one that was deleted is refused. */
export function kubernetesAuth({ outbound }: { readonly outbound: Outbound }): ProvingMethod<AskedKubernetes> {
  return {
    configure: kubernetesFrom,
    secretOf: ({ reviewerToken, hasReviewerToken }) => (reviewerToken !== '' ? { text: reviewerToken } : hasReviewerToken ? 'kept' : undefined),
    goesTo: (configuration) => {
      const { host, caCertificate = '', hasReviewerToken } = stored.parse(configuration)
      return hasReviewerToken ? `${host}\n${caCertificate}` : undefined
    },
    show: (configuration) => {
      const { caCertificate = '', ...rest } = stored.parse(configuration)
      return { ...rest, caCertificate, reviewerToken: '' }
    },
    verify: async ({ jwt, configuration, secret, organizationId }) => {
      const { host, caCertificate, ...rules } = stored.parse(configuration)
      if (!isAssertionText(jwt)) throw new Unproven('malformed')
      const review = { host, caCertificate, audiences: rules.audiences, token: jwt, reviewerToken: secret, account: organizationId }
      return judgeReviewed(await reviewToken(outbound, review), rules)
    },
  }
}
