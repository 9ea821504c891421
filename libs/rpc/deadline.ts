import { monotonicMillis, wallMillis } from '../clock.js'
import { DomainError } from '../domain-error.js'

/** When an answer must be out, in monotonic milliseconds. */
export type Deadline = number

/** The caller's deadline, or `capMillis` from now where the caller gave none or a later one. */
export function deadlineOf(given: Date | number, capMillis: number): Deadline {
  const wall = typeof given === 'number' ? given : given.getTime()
  return monotonicMillis() + Math.min(wall - wallMillis(), capMillis)
}

export const remainingMillis = (deadline: Deadline): number => deadline - monotonicMillis()

/** The deadline as gRPC wants it, for the next hop: a little earlier, so that its failure can still be reported. */
export const wallDeadline = (deadline: Deadline): number => wallMillis() + remainingMillis(deadline) - 5

export const outOfTime = (): DomainError =>
  new DomainError('UNAVAILABLE', 'OUT_OF_TIME', 'The answer was not ready before the deadline; what was asked for may still happen.')

/**
 * The work's outcome, at once if it has one, or UNAVAILABLE shortly before the deadline, so that the caller hears it from us.
 * The work itself goes on: it is bounded by the timeouts of what it waits for.
 */
export function inTime<T>(deadline: Deadline, work: () => T | Promise<T>): T | Promise<T> {
  const budget = remainingMillis(deadline)
  if (budget <= 0) return Promise.reject(outOfTime())
  const working = startedBy(work)
  if (!(working instanceof Promise)) return working
  const patience = budget - Math.min(30, budget / 10)
  // Rounded down to tens of milliseconds where that takes little of it: timers of one length are cheap.
  const millis = patience < 100 ? patience : Math.floor(patience / 10) * 10
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(outOfTime()), millis)
    const isOver = () => clearTimeout(timer)
    working.then(isOver, isOver)
    working.then(resolve, reject)
  })
}

function startedBy<T>(work: () => T | Promise<T>): T | Promise<T> {
  try {
    return work()
  } catch (error) {
    return Promise.resolve().then(() => {
      throw error
    })
  }
}
