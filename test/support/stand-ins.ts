import { type ApiServer, startApiServer } from './api-server.js'
import { type Issuer, startIssuer } from './issuer.js'
import { scratchDirectory } from './scratch-directory.js'

export type StandIns = { readonly issuer: Issuer; readonly cluster: ApiServer; readonly reviewerToken: string }

let standIns: Promise<StandIns> | undefined

/** An issuer and a cluster for all of a process: they go with it. */
export const sharedStandIns = (): Promise<StandIns> => (standIns ??= startStandIns())

async function startStandIns(): Promise<StandIns> {
  const { path } = await scratchDirectory()
  const [issuer, cluster] = await Promise.all([startIssuer(path, 'shared-issuer'), startApiServer(path, 'shared-cluster')])
  for (const { server } of [issuer, cluster]) server.unref()
  const reviewerToken = cluster.tokenOf({ namespace: 'countersign', name: 'reviewer', uid: 'reviewer', audiences: [] })
  cluster.reviewers.add(reviewerToken)
  return { issuer, cluster, reviewerToken }
}
