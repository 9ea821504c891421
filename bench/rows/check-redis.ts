import type { Row } from '../row.js'
import { missedChecks } from './missed-checks.js'

/** Token and grants are not in memory, and are in Redis. */
export const checkRedis: Row = {
  name: 'check.redis',
  bars: [{ says: '≤ 1.8 × echo', isMet: ({ ratioToEcho }) => ratioToEcho <= 1.8 }],
  open: (system) => missedChecks(system, { redis: true, because: 'Redis is asked, and the owners only for changes' }),
}
