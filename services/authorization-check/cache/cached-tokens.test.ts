import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { activeTokenKey, activeTokenText, claimedIn, tokenDigest } from '#libs/active-token.js'
import { DomainError } from '#libs/domain-error.js'
import type { Entry } from '#libs/freshness/stamp.js'
import { memoryStore } from '#libs/redis/memory-store.js'
import { sealer } from '#libs/redis/sealed.js'
import { EVERYWHERE } from '#libs/rules/trusted-source.js'
import { entryAt, EPOCH, handClock, handFeed, OTHER_EPOCH, outgoing, settle, watch } from '../../../test/support/hand-feed.js'
import type { TokenFacts } from '../domain/grants.js'
import { cachedTokens } from './cached-tokens.js'

const [TOKEN, OTHER] = ['01900000-0000-7000-8000-000000000001', '01900000-0000-7000-8000-000000000002']
const [IDENTITY, ORGANIZATION] = ['01900000-0000-7000-8000-000000000003', '01900000-0000-7000-8000-000000000004']
const textOf = (tokenId: string, signature: string): string => `header.${Buffer.from(JSON.stringify({ jti: tokenId, sub: IDENTITY, org: ORGANIZATION })).toString('base64url')}.${signature}`
const factsOf = (tokenId: string): TokenFacts => ({ tokenId, organizationId: ORGANIZATION, identityId: IDENTITY, credentialId: 's', method: 'universal-auth', expireMillis: 2_000_000_000_000, revoked: false, useLimited: false, trusted: undefined })

const key = { id: 'current', key: randomBytes(32) }

/** Over a store, and an owner that describes a token when the test says so. */
async function caching() {
  const hand = handFeed(handClock(), 'exchange')
  hand.feed.tick()
  await hand.answer(7)
  const store = memoryStore(() => 0)
  const asked: { readonly text: string; answer(entry: Entry<TokenFacts>): Promise<void>; refuse(): Promise<void> }[] = []
  const tokens = cachedTokens({
    feed: hand.feed,
    maxBytes: 1_000_000,
    shared: { store, sealer: sealer([key]) },
    ask: ({ text }) =>
      new Promise((resolve, reject) => {
        asked.push({
          text,
          answer: (entry) => {
            resolve(entry)
            return settle()
          },
          refuse: () => {
            reject(new DomainError('UNAUTHENTICATED', 'ACCESS_TOKEN_REJECTED', 'The access token was rejected.'))
            return settle()
          },
        })
      }),
    found: () => undefined,
  })
  const read = async (text: string) => {
    const reading = watch(tokens.read({ text, digest: tokenDigest(text), claimed: claimedIn(text) }, outgoing))
    await settle()
    return reading
  }
  /** What auth-exchange keeps there of a text that it issued. */
  const keep = (text: string, { tokenId = TOKEN, at = TOKEN, seq = 7, epoch = EPOCH, by = key, useLimited = false, trustedIps = EVERYWHERE } = {}) => {
    const record = activeTokenText({ ...factsOf(tokenId), useLimited, trustedIps, digest: tokenDigest(text) })
    return store.set(activeTokenKey(at), sealer([by]).seal(activeTokenKey(tokenId), { epoch, seq }, record), 60_000)
  }
  return { hand, store, tokens, asked, read, keep }
}

const good = textOf(TOKEN, 'good')
const factsIn = (tokenId: string) => ({ value: { value: factsOf(tokenId) } })

describe('a token in the store', () => {
  it('is known by the digest of its text, and nobody is asked', async () => {
    const { keep, read, asked } = await caching()
    await keep(good)
    expect((await read(good)).outcome).toMatchObject(factsIn(TOKEN))
    expect(asked).toHaveLength(0)
  })

  it('says whether its uses are limited, and from where it may be used', async () => {
    const { keep, read } = await caching()
    await keep(good, { useLimited: true, trustedIps: ['10.0.0.0/8', '::/0'] })
    const { outcome } = await read(good)
    expect(outcome).toMatchObject({ value: { value: { useLimited: true, trusted: { cidrs: ['10.0.0.0/8', '::/0'] } } } })
  })

  // It says neither, and both might be said of its token by now: neither its name nor its form is read.
  it('is a miss where an earlier version wrote it', async () => {
    const { store, read, asked } = await caching()
    const [name, facts] = [`auth-exchange:active-token:v1:${TOKEN}`, factsOf(TOKEN)]
    const record = [TOKEN, ORGANIZATION, IDENTITY, 's', facts.method, facts.expireMillis, tokenDigest(good)].join('\n')
    for (const under of [name, activeTokenKey(TOKEN)]) await store.set(under, sealer([key]).seal(under, { epoch: EPOCH, seq: 7 }, record), 60_000)
    expect((await read(good)).outcome).toBe('waits')
    expect(asked).toHaveLength(1)
  })

  // A text that differs in its signature alone is no token of ours. Seen to fail without the comparison of digests.
  it('stands for its own text alone: another one of the same lineage is asked about', async () => {
    const { keep, read, asked } = await caching()
    await keep(good)
    const forged = await read(textOf(TOKEN, 'forged'))
    expect(asked).toHaveLength(1)
    await asked[0]?.refuse()
    expect(forged.outcome).toMatchObject({ error: { kind: 'UNAUTHENTICATED' } })
  })

  // A renewal is not in the feed: what the store holds of an older text is no word about a newer one. Seen to fail with
  // another digest taken for a refusal.
  it('never refuses: a text that is newer than the record is asked about, and good', async () => {
    const { keep, read, asked } = await caching()
    await keep(good)
    const renewed = await read(textOf(TOKEN, 'renewed'))
    await asked[0]?.answer(entryAt(7, factsOf(TOKEN)))
    expect(renewed.outcome).toMatchObject(factsIn(TOKEN))
    expect((await read(good)).outcome).toBe('waits')
  })

  // Seen to fail with the store's key left out of the seal, without the comparison of the seal, and without the stamp.
  it.each([
    ['moved there from another token', { tokenId: OTHER }],
    ['forged', { by: { id: 'current', key: randomBytes(32) } }],
    ['older than what is known', { seq: 6 }],
    ['of another epoch', { epoch: OTHER_EPOCH }],
  ])('is a miss where it was %s', async (_how, change) => {
    const { keep, read, asked } = await caching()
    await keep(good, change)
    expect((await read(good)).outcome).toBe('waits')
    expect(asked.map(({ text }) => text)).toEqual([good])
  })

  it.each(['client-secret/s', `access-token/${TOKEN}`, `auth-method/${IDENTITY}`, `organization/${ORGANIZATION}`])('is a miss once %s has changed', async (entity) => {
    const { hand, keep, read, asked } = await caching()
    await keep(good)
    hand.feed.tick()
    await hand.answer(8, { changes: [{ seq: 8, entities: [entity] }] })
    expect((await read(good)).outcome).toBe('waits')
    expect(asked).toHaveLength(1)
  })

  it('is kept by whoever asked for it, unless it is revoked', async () => {
    const { store, read, asked } = await caching()
    await read(good)
    await asked[0]?.answer(entryAt(7, { ...factsOf(TOKEN), revoked: true }))
    expect(await store.get([activeTokenKey(TOKEN)])).toEqual([undefined])
    await read(textOf(OTHER, 'good'))
    await asked[1]?.answer(entryAt(7, factsOf(OTHER)))
    expect((await store.get([activeTokenKey(OTHER)]))[0]).toBeInstanceOf(Buffer)
  })
})

describe('a text that claims to be no token of ours', () => {
  it.each(['', 'text', 'a.b', `${good}.d`, `a.${Buffer.from('{"jti":"../../secret"}').toString('base64url')}.c`])('%j is asked about, and no store', async (text) => {
    const { read, asked, store } = await caching()
    await read(text)
    await asked[0]?.answer(entryAt(7, factsOf(TOKEN)))
    expect(await store.get([activeTokenKey(TOKEN)])).toEqual([undefined])
  })
})
