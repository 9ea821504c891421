import { momentNow, wallMillis } from '#libs/clock.js'
import type { Answer } from '../answer.js'
import { record } from '../table.js'
import type { TokenFile } from './token-file.js'
import type { TokenSource } from './token-source.js'

/** For init containers: one login, and the files hold what came of it. */
export async function obtainOnce(source: TokenSource, files: readonly TokenFile[]): Promise<Answer> {
  const begun = wallMillis()
  const token = await source.obtain(undefined)
  for (const file of files) file.show(token, momentNow())
  const { tokenId, identityId, lifeMillis } = token
  const expireTime = new Date(begun + lifeMillis)
  const names = files.map(({ name }) => name)
  return {
    document: { tokenId, identityId, expireTime, files: names },
    ids: [tokenId],
    lines: record([['token id', tokenId], ['identity', identityId], ['expires', expireTime], ...names.map((name) => ['file', name] as const)]),
  }
}
