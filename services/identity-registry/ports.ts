import type { Authorization } from '#libs/authorization.js'
import type { Clock } from '#libs/clock.js'
import type { ChangeFeed } from '#libs/freshness/append.js'
import type { Ids } from '#libs/ids.js'
import type { Db, RegistrySchema } from './store/schema.js'

/** What a handler needs that reads. */
export type Reading = { readonly db: Db; readonly authorization: Authorization }

/** What a handler needs that writes. */
export type Writing = Reading & { readonly feed: ChangeFeed<RegistrySchema>; readonly ids: Ids; readonly clock: Clock }
