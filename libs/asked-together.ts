import { inBatches } from './batches.js'

/** Beyond that the next question is better asked. */
const MOST_AT_ONCE = 100

/** Answers a question that is named by its key: whatever makes two questions differ is in it. */
export type AskedTogether<Answer> = (key: string, ask: () => Promise<Answer>) => Promise<Answer>

/**
 * While a question is being asked, all who have the same one wait and then have it asked once for all of them: so no answer is
 * to a question that was asked before theirs. A failure is nobody else's, and `isForAll` says which answers are not either:
 * whoever waited for one of those asks for themselves. What is remembered is forgotten with the last who asks.
 */
export function askedTogether<Answer>(isForAll: (answer: Answer) => boolean): AskedTogether<Answer> {
  type Asked = { readonly isOwn: boolean; readonly result: PromiseSettledResult<Answer> }
  type Sharing = { readonly join: (ask: () => Promise<Answer>) => Promise<Asked>; askers: number }
  const underWay = new Map<string, Sharing>()
  const share = (): Sharing => ({
    join: inBatches<() => Promise<Answer>, Asked>(MOST_AT_ONCE, async (asks) => {
      const [result] = await Promise.allSettled(asks.slice(0, 1).map((ask) => ask()))
      return result ? asks.map((_ask, place) => ({ isOwn: place === 0, result })) : []
    }),
    askers: 0,
  })
  return async (key, ask) => {
    const sharing = underWay.get(key) ?? share()
    underWay.set(key, sharing)
    sharing.askers += 1
    try {
      const { isOwn, result } = await sharing.join(ask)
      if (result.status === 'fulfilled' && (isOwn || isForAll(result.value))) return result.value
      if (isOwn && result.status === 'rejected') throw result.reason
    } finally {
      sharing.askers -= 1
      if (sharing.askers === 0) underWay.delete(key)
    }
    return ask()
  }
}
