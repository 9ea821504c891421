import { registry } from './migrations/0001-registry.js'
import { changeFeed } from './migrations/0002-change-feed.js'
import { namesAreNoKeys } from './migrations/0003-names-are-no-keys.js'

/** In order of name; forward only. */
export const migrations = { '0001-registry': registry, '0002-change-feed': changeFeed, '0003-names-are-no-keys': namesAreNoKeys }
