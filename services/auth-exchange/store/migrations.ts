import { exchange } from './migrations/0001-exchange.js'
import { changeFeed } from './migrations/0002-change-feed.js'

/** In order of name; forward only. */
export const migrations = { '0001-exchange': exchange, '0002-change-feed': changeFeed }
