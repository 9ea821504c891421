import type { Tenant } from './tenant.js'
import type { WireMessage } from './wire.js'

/** A request that is answered with OK when the admin of this organization sends it; each time with things of its own. */
export type Builder = (of: Tenant) => Promise<WireMessage> | WireMessage

/** The page that comes after this id. */
export const pageTokenAfter = (id: string): string => Buffer.from(id).toString('base64url')
