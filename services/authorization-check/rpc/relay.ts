import type { FeedName } from '#libs/freshness/entities.js'
import type { PullServer } from '#libs/freshness/serve.js'
import { changeFeedService } from '#libs/rpc/change-feed.js'
import type { Listener } from '#libs/rpc/listeners.js'
import type { Address } from '#libs/rpc/server.js'
import type { ServiceCallers } from '#libs/rpc/service-credential.js'
import { defaultLimits } from '#libs/rpc/unary.js'
import { ChangeFeedServiceService } from '#libs/wire/gen/countersign/feed/v1/change_feed.js'

/** Two for each sidecar, open for as long as it lives. */
const MOST_STREAMS = 20_000

type Relay = { readonly address: Address; readonly callers: ServiceCallers; readonly feeds: Readonly<Record<FeedName, PullServer>> }

/** Serves both change feeds to sidecars. */
export const relayListener = ({ address, callers, feeds }: Relay): Listener => ({
  address,
  portVariable: 'RELAY_PORT',
  callers: 'known',
  limits: { ...defaultLimits, maxInFlight: MOST_STREAMS },
  services: (_unary, lockstep) => [[ChangeFeedServiceService, changeFeedService({ lockstep, callers, feeds })]],
})
