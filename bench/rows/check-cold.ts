import type { Row } from '../row.js'
import { missedChecks } from './missed-checks.js'

/** Token and grants are not in memory, and there is no Redis. */
export const checkCold: Row = {
  name: 'check.cold',
  bars: [],
  open: (system) => missedChecks(system, { redis: false, because: 'both owners are asked each time' }),
}
