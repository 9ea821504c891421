import { availableParallelism, loadavg } from 'node:os'

/** Whether so many others want the processors that who waits for one is late whatever it does: nothing is concluded from that. */
export const isStarved = (): boolean => (loadavg()[0] ?? 0) > 2 * availableParallelism()
