import { describe, expect, it } from 'vitest'
import type { Entry } from '#libs/freshness/stamp.js'
import { entryAt, handClock, handFeed, outgoing } from '../../../test/support/hand-feed.js'
import type { Grants, TokenFacts } from '../domain/grants.js'
import type { GrantReader, TokenReader } from '../ports.js'
import { gathering, presented } from './gather.js'

const [ORGANIZATION, MINE, ANOTHERS, LINEAGE] = ['1', '2', '3', '4'].map((digit) => `0190000${digit}-0000-7000-8000-000000000000`)

const claiming = (identityId: string | undefined): string =>
  `header.${Buffer.from(JSON.stringify({ jti: LINEAGE, sub: identityId, org: ORGANIZATION })).toString('base64url')}.signature`

const token: TokenFacts = { tokenId: `${LINEAGE}`, organizationId: `${ORGANIZATION}`, identityId: `${MINE}`, credentialId: 's', method: 'universal-auth', expireMillis: 1, revoked: false, useLimited: false, trusted: undefined }
const grants: Grants = { state: 'active', identityName: 'n', grants: [] }
const expected = Promise.resolve(entryAt(7, grants))

/** Whom grants were asked for beforehand, and what was made of the answer. */
async function gatheredBy(text: string) {
  const asked: { expected: unknown[]; used: unknown[] } = { expected: [], used: [] }
  const absent = { near: () => undefined, last: () => undefined }
  const tokens: TokenReader = { ...absent, expect: () => undefined, read: () => Promise.resolve(entryAt(7, token)) }
  const held: GrantReader = {
    ...absent,
    expect: ({ identityId }) => {
      asked.expected.push(identityId)
      return expected
    },
    read: (_holder, _outgoing, used?: Promise<Entry<Grants> | undefined>) => {
      asked.used.push(used)
      return Promise.resolve(entryAt(7, grants))
    },
  }
  const clock = handClock()
  const feeds = { registry: handFeed(clock, 'registry').feed, exchange: handFeed(clock, 'exchange').feed }
  const principals = { ...absent, expect: () => undefined, read: () => Promise.reject(new Error('nobody shows a certificate')) }
  const roles = { ...absent, expect: () => undefined, read: () => Promise.reject(new Error('nobody has a role')) }
  const subject = { credential: presented(text), projectId: undefined, mayAskAbout: () => true }
  await gathering({ tokens, principals, grants: held, roles, feeds }).read(subject, outgoing)
  return asked
}

// A token is only believed once it is known, and grants are asked for with it, by what it says.
describe('grants that were asked for by what a token says of itself', () => {
  it('are used where it is so', async () => {
    expect(await gatheredBy(claiming(MINE))).toEqual({ expected: [MINE], used: [expected] })
  })

  // Seen to fail without isAsClaimed: the roles of another identity were taken for its own.
  it('are not used where it is the token of another', async () => {
    expect(await gatheredBy(claiming(ANOTHERS))).toEqual({ expected: [ANOTHERS], used: [undefined] })
  })

  it('are not asked for where it says nothing', async () => {
    expect(await gatheredBy('opaque')).toEqual({ expected: [], used: [undefined] })
  })
})
