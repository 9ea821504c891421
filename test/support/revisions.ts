import { expect } from 'vitest'
import type { FeedName } from '#libs/freshness/entities.js'

/** The revision of one feed, as a change returns it. */
export const revisionOf = (feed: FeedName) => expect.stringMatching(new RegExp(`^${feed}\\.0\\.[0-9a-f]{16}\\.[1-9][0-9]*$`))

/** What a change answered, with the revision that it must have, as it is when it is read later: then it has none. */
export async function asRead<Answer extends { readonly revision: string }>(feed: FeedName, change: Promise<Answer>): Promise<Answer> {
  const answer = await change
  expect(answer.revision).toEqual(revisionOf(feed))
  return { ...answer, revision: '' }
}

/** Where the feed stands right after the change that returned this revision. */
export function stampOf(revision: string): { epoch: string; seq: number } {
  const [, , epoch = '', seq] = revision.split('.')
  return { epoch, seq: Number(seq) }
}
