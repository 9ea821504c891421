import pLimit, { type LimitFunction } from 'p-limit'

const AT_ONCE = 16
const MAX_WAITING = 64

export class NoTurn extends Error {
  override readonly name = 'NoTurn'
}

/** Work of each account, so many at once: what one of them has to wait for keeps no other waiting. */
export function turns(): <T>(account: string, work: () => Promise<T>) => Promise<T> {
  const limits = new Map<string, LimitFunction>()
  return async (account, work) => {
    const limit = limits.get(account) ?? pLimit(AT_ONCE)
    if (limit.pendingCount >= MAX_WAITING) throw new NoTurn('too many requests are under way')
    limits.set(account, limit)
    try {
      return await limit(work)
    } finally {
      if (limit.activeCount + limit.pendingCount === 0) limits.delete(account)
    }
  }
}
