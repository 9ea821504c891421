import { exchange } from './migrations/0001-exchange.js'

/** In order of name; forward only. */
export const migrations = { '0001-exchange': exchange }
