import type { Tenant } from './tenant.js'
import type { WireMessage } from './wire.js'

/** A request that is answered with OK when the admin of this organization sends it; each time with things of its own. */
export type Builder = (of: Tenant) => Promise<WireMessage> | WireMessage

/** The page that comes after this id. */
export const pageTokenAfter = (id: string): string => Buffer.from(id).toString('base64url')

export const window = { start_time: { seconds: 1_000_000_000, nanos: 0 }, end_time: { seconds: 4_000_000_000, nanos: 0 } }

/** Of ListAuditEvents, which both owners have. */
export const auditEvents: readonly Builder[] = [
  ({ workload }) => ({
    identity_id: workload.identityId,
    action: 'CreateIdentity',
    target_type: 'identity',
    target_id: workload.identityId,
    ...window,
    page_size: 1,
    page_token: pageTokenAfter(workload.tokenId),
  }),
  () => ({ page_size: 10 }),
]
