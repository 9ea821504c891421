import { registry } from './migrations/0001-registry.js'

/** In order of name; forward only. */
export const migrations = { '0001-registry': registry }
