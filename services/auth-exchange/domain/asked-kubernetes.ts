import type { Report } from '#libs/domain-error.js'
import { exactTextProblem, globTextProblem, listFrom } from './asked-lists.js'
import { caCertificate, httpsUrl } from './asked-place.js'
import { isAssertionText } from './assertion.js'
import type { KubernetesRules } from './kubernetes-rules.js'

/** What somebody asks for of a cluster, as it comes. */
export type AskedKubernetes = {
  readonly host: string
  readonly caCertificate: string
  readonly audiences: readonly string[]
  readonly namespaces: readonly string[]
  readonly names: readonly string[]
  /** Empty where none is given. */
  readonly reviewerToken: string
  /** Whether there is one; where none is given, the one that is there. */
  readonly hasReviewerToken: boolean
}

/** Where a cluster is asked, and who is let in; the reviewer's token is kept apart. */
export type KubernetesPlace = { readonly host: string; readonly caCertificate?: string | undefined }
export type KubernetesConfiguration = KubernetesPlace & KubernetesRules & { readonly hasReviewerToken: boolean }

export function kubernetesFrom(asked: AskedKubernetes, at: (field: string) => Report): KubernetesConfiguration {
  if (asked.reviewerToken !== '' && !isAssertionText(asked.reviewerToken)) at('reviewer_token')('must be a JWT in its one spelling')
  return {
    host: httpsUrl(asked.host, at('host')),
    caCertificate: caCertificate(asked.caCertificate, at('ca_certificate')),
    audiences: listFrom(asked.audiences, { field: 'audiences', max: 16, problemOf: exactTextProblem }, at),
    namespaces: listFrom(asked.namespaces, { field: 'namespaces', max: 100, problemOf: globTextProblem }, at),
    names: listFrom(asked.names, { field: 'names', max: 100, problemOf: globTextProblem }, at),
    hasReviewerToken: asked.reviewerToken !== '' || asked.hasReviewerToken,
  }
}
