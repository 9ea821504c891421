import { describe, expect, it } from 'vitest'
import { demandsOn } from '#libs/freshness/consistency.js'
import { entryAt, handClock, handFeed, outgoing, settle, watch } from '../../../test/support/hand-feed.js'
import { cachedPrincipals } from '../cache/cached-principals.js'
import { assertLive, type Evidence } from '../domain/decide.js'
import type { Grants, PrincipalFacts } from '../domain/grants.js'
import { gathering, presentedPrincipal } from './gather.js'
import { judgeBy } from './judge.js'

// A certificate in place of a token: whose name it is may change at any time, also from nobody's to somebody's.

const grants: Grants = { state: 'active', identityName: 'n', grants: [] }
const known: PrincipalFacts = { organizationId: 'o', mapped: { principalId: 'p', identityId: 'i' } }
const unknown: PrincipalFacts = { organizationId: 'o', mapped: undefined }
const ofPrincipal = { dependencies: ['principal/o/n'] }

/** auth-exchange says `facts` of every name; both feeds are at 7. */
async function judging(facts: PrincipalFacts, { maxBytes = 1_000_000, mayAsk = true } = {}) {
  const clock = handClock()
  const [registry, exchange] = [handFeed(clock, 'registry'), handFeed(clock, 'exchange')]
  for (const hand of [registry, exchange]) {
    hand.feed.tick()
    await hand.answer(7)
  }
  const state = { facts, seq: 7 }
  const asked: string[] = []
  const principals = cachedPrincipals({
    feed: exchange.feed,
    maxBytes,
    found: () => undefined,
    ask: ({ name }) => {
      asked.push(name)
      return Promise.resolve(entryAt(state.seq, state.facts, ofPrincipal))
    },
  })
  const held: string[] = []
  const nothing = { near: () => undefined, last: () => undefined, expect: () => undefined, read: () => Promise.reject(new Error('not to be read')) }
  const holding = ({ identityId }: { identityId: string }) => {
    held.push(identityId)
    return entryAt(7, grants)
  }
  const grantReader = { ...nothing, near: holding, read: (holder: { identityId: string }) => Promise.resolve(holding(holder)) }
  const feeds = { registry: registry.feed, exchange: exchange.feed }
  const gather = gathering({ tokens: nothing, principals, grants: grantReader, roles: nothing, feeds })
  const judge = judgeBy({ gather, feeds, demands: demandsOn([registry.feed, exchange.feed], clock.now), now: clock.now })
  const told = (evidence: Evidence) => {
    assertLive(evidence)
    return evidence.credential
  }
  const start = (name = 'spiffe://o/n') => {
    const about = { credential: presentedPrincipal('o', name), projectId: undefined, mayAskAbout: () => mayAsk, consistency: { level: 'bounded' as const } }
    return judge(about, outgoing, told)
  }
  const ask = async (name?: string) => {
    const outcome = watch((async () => start(name))())
    await settle()
    return outcome
  }
  return { clock, registry, exchange, state, asked, held, start, ask }
}

const rejected = { error: { kind: 'UNAUTHENTICATED', reason: 'PRINCIPAL_REJECTED' } }

describe('a principal', () => {
  it('is its identity, with nothing awaited once it is in memory', async () => {
    const { ask, start, asked } = await judging(known)
    expect((await ask()).outcome).toMatchObject({ value: { identityId: 'i', principalId: 'p', tokenId: undefined } })
    expect(start()).toMatchObject({ identityId: 'i' })
    expect(asked).toHaveLength(1)
  })

  it("that is nobody's holds nothing, which is remembered", async () => {
    const { ask, start, asked, held } = await judging(unknown)
    expect((await ask()).outcome).toMatchObject(rejected)
    expect(() => start()).toThrow(expect.objectContaining({ reason: 'PRINCIPAL_REJECTED' }))
    expect([asked.length, held]).toEqual([1, []])
  })

  it.each([['is deleted', known, unknown, 'PRINCIPAL_REJECTED'], ['is created', unknown, known, undefined]])('that %s is judged anew', async (_what, before, after, reason) => {
    const { ask, state, exchange } = await judging(before)
    await ask()
    Object.assign(state, { facts: after, seq: 8 })
    exchange.feed.tick()
    await exchange.answer(8, { changes: [{ seq: 8, entities: ofPrincipal.dependencies }] })
    expect((await ask()).outcome).toMatchObject(reason === undefined ? { value: { identityId: 'i' } } : { error: { reason } })
  })

  // It may be somebody's by now: seen to fail with what is revoked over for ever, whatever was shown.
  it("that was nobody's is not refused without a lease", async () => {
    const { ask, clock } = await judging(unknown)
    await ask()
    clock.pass(251)
    expect((await ask()).outcome).toBe('waits')
  })

  it('of an organization that may not be asked about is refused as one that is nobody\'s', async () => {
    const { ask, held } = await judging(known, { mayAsk: false })
    expect((await ask()).outcome).toMatchObject(rejected)
    expect(held).toEqual([])
  })

  // Strangers may show any name. Seen to fail with each unknown name on an account of its own.
  it('in memory is not driven out by any number of names that are nobody\'s', async () => {
    const { ask, state, asked } = await judging(known, { maxBytes: 60_000 })
    await ask('mine')
    state.facts = unknown
    for (let made = 0; made < 200; made += 1) await ask(`stranger-${made}`)
    await ask('mine')
    expect(asked.filter((name) => name === 'mine')).toHaveLength(1)
  })
})
