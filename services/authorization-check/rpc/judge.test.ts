import { describe, expect, it } from 'vitest'
import { DomainError } from '#libs/domain-error.js'
import { demandsOn } from '#libs/freshness/consistency.js'
import type { Reader } from '#libs/freshness/read-through.js'
import type { Entry } from '#libs/freshness/stamp.js'
import { entryAt, handClock, handFeed, outgoing, settle, watch } from '../../../test/support/hand-feed.js'
import { type Evidence, assertLive } from '../domain/decide.js'
import { type Grants, type Role, roleFrom, type TokenFacts } from '../domain/grants.js'
import { gathering, presented } from './gather.js'
import { judgeBy } from './judge.js'

const DATABASE_MILLIS = 1_700_000_000_000

const token: TokenFacts = { tokenId: 't', organizationId: 'o', identityId: 'i', credentialId: 's', method: 'universal-auth', expireMillis: DATABASE_MILLIS + 3_600_000, revoked: false, useLimited: false, trusted: undefined }
const grants: Grants = { state: 'active', identityName: 'n', grants: [{ roleId: 'r', startMillis: -Infinity, endMillis: Infinity }] }
const role: Role = roleFrom({ roleId: 'r', role: 'viewer', rules: [] })

const depends = { token: { dependencies: ['access-token/t'] }, grants: { dependencies: ['identity/i'] }, role: { dependencies: ['role/r'] } }

/** A reader of one entry that is in memory, or comes when the test says so. */
function handReader<Value>(kept: Entry<Value>) {
  const state: { near: Entry<Value> | undefined; last: Entry<Value> | undefined } = { near: kept, last: kept }
  const reads: { answer(entry: Entry<Value>): Promise<void>; refuse(error: DomainError): Promise<void> }[] = []
  const awaited = () =>
    new Promise<Entry<Value>>((resolve, reject) => {
      reads.push({
        answer: (entry) => {
          resolve(entry)
          return settle()
        },
        refuse: (error) => {
          reject(error)
          return settle()
        },
      })
    })
  const reader: Reader<unknown, Value> = {
    near: () => state.near,
    last: () => state.last,
    expect: () => undefined,
    read: () => (state.near ? Promise.resolve(state.near) : awaited()),
  }
  return { reader, reads, state }
}

const nobody = handReader(entryAt(7, { organizationId: 'o', mapped: undefined })).reader

/** Everything is in memory as of 7, where both feeds are. */
async function judging({ mayAskAbout = ['o'] } = {}) {
  const clock = handClock()
  const [registry, exchange] = [handFeed(clock, 'registry'), handFeed(clock, 'exchange')]
  for (const hand of [registry, exchange]) {
    hand.feed.tick()
    await hand.answer(7)
  }
  const [tokens, held, roles] = [handReader(entryAt(7, token, depends.token)), handReader(entryAt(7, grants, depends.grants)), handReader(entryAt(7, role, depends.role))]
  const feeds = { registry: registry.feed, exchange: exchange.feed }
  const judge = judgeBy({ gather: gathering({ tokens: tokens.reader, principals: nobody, grants: held.reader, roles: roles.reader, feeds }), feeds, demands: demandsOn([registry.feed, exchange.feed], clock.now), now: clock.now })
  const judged: Evidence[] = []
  const ask = async () => {
    const subject = { credential: presented('text'), projectId: undefined, mayAskAbout: (organizationId: string) => mayAskAbout.includes(organizationId) }
    const judging = async () =>
      judge({ ...subject, consistency: { level: 'bounded' } }, outgoing, (evidence) => {
        judged.push(evidence)
        assertLive(evidence)
        return 'judged'
      })
    const asked = watch(judging())
    await settle()
    return asked
  }
  return { clock, registry, exchange, tokens, held, roles, judged, ask }
}

const unavailable = () => new DomainError('UNAVAILABLE', 'PEER_UNAVAILABLE', 'A service could not be reached in time.')
const rejected = { error: { kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' } }
const judgedWell = { value: 'judged' }

describe('a question', () => {
  it('is judged by what is in memory while it may be used', async () => {
    const { ask, judged } = await judging()
    expect((await ask()).outcome).toEqual(judgedWell)
    expect(judged).toMatchObject([{ credential: token, grants, roles: [role], credentialTime: { earliest: DATABASE_MILLIS, latest: DATABASE_MILLIS + 1 } }])
  })

  // The token is known, the grants take long: a token that is revoked meanwhile is not judged as it was. Seen to fail
  // with what was gathered judged without the test of the turn that decides.
  it.each([
    ['token', 'exchange', 'access-token/t'],
    ['grants', 'registry', 'identity/i'],
  ] as const)('is not judged by a %s that changed while the rest was awaited', async (changed, feed, entity) => {
    const all = await judging()
    const { roles, tokens, held, judged, ask } = all
    roles.state.near = undefined
    const asked = await ask()
    all[feed].feed.tick()
    await all[feed].answer(8, { changes: [{ seq: 8, entities: [entity] }] })
    if (changed === 'token') tokens.state.near = entryAt(8, { ...token, revoked: true }, depends.token)
    else held.state.near = entryAt(8, { ...grants, state: 'disabled' as const }, depends.grants)
    await roles.reads[0]?.answer(entryAt(7, role, depends.role))
    await roles.reads[1]?.answer(entryAt(7, role, depends.role))
    expect(asked.outcome).toMatchObject(rejected)
    expect(judged).toHaveLength(1)
  })

  // Seen to fail with the leases tested before the reads only.
  it('is not judged under a lease that lapsed while it was awaited', async () => {
    const { clock, registry, exchange, roles, judged, ask } = await judging()
    roles.state.near = undefined
    const asked = await ask()
    clock.pass(251)
    await roles.reads[0]?.answer(entryAt(7, role, depends.role))
    expect([asked.outcome, judged]).toEqual(['waits', []])
    await Promise.all([registry.answer(7), exchange.answer(7)])
    await roles.reads[1]?.answer(entryAt(7, role, depends.role))
    expect(asked.outcome).toEqual(judgedWell)
  })

  it('is CHANGES_TOO_FAST after twenty attempts, which is no word about the token', async () => {
    const { roles, ask } = await judging()
    roles.state.near = undefined
    const asked = await ask()
    for (let attempt = 0; attempt < 20; attempt += 1) await roles.reads[attempt]?.answer(entryAt(6, role, depends.role))
    expect(roles.reads).toHaveLength(20)
    expect(asked.outcome).toMatchObject({ error: { kind: 'UNAVAILABLE', reason: 'CHANGES_TOO_FAST' } })
  })

  // Seen to fail with the organization tested at the decision: whose token it is was then told by how long it took.
  it.each([['all is', ''], ['its grants are not', 'grants'], ['it is not', 'token']])(
    'about a token of an organization that the caller may not ask about is refused before its grants are read, where %s in memory',
    async (_where, missing) => {
      const { ask, held, tokens, judged } = await judging({ mayAskAbout: ['another'] })
      if (missing !== '') held.state.near = undefined
      if (missing === 'token') tokens.state.near = undefined
      const asked = await ask()
      await tokens.reads[0]?.answer(entryAt(7, token, depends.token))
      expect(asked.outcome).toMatchObject(rejected)
      expect([held.reads, judged]).toEqual([[], []])
    },
  )

  // Database time is only known within a round trip: a token is refused from the latest that it can be. Seen to fail with
  // the earliest in its place.
  it('is judged by the latest time that it may be', async () => {
    const { clock, exchange, tokens, ask } = await judging()
    exchange.feed.tick()
    clock.pass(100)
    await exchange.answer(7)
    tokens.state.near = entryAt(7, { ...token, expireMillis: DATABASE_MILLIS + 102 }, depends.token)
    expect((await ask()).outcome).toEqual(judgedWell)
    clock.pass(1)
    expect((await ask()).outcome).toMatchObject(rejected)
  })
})

describe('a question under a lease that lapsed', () => {
  // Seen to fail with memory asked without the lease.
  it('is not judged by what is in memory before a pull says that it is still true', async () => {
    const { clock, ask, judged, registry, exchange } = await judging()
    clock.pass(251)
    const asked = await ask()
    expect([asked.outcome, judged]).toEqual(['waits', []])
    await Promise.all([registry.answer(7), exchange.answer(7)])
    expect(asked.outcome).toEqual(judgedWell)
  })
})

describe('a question under a lease that lapsed, when no pull comes through', () => {
  async function lapsed(caller?: { mayAskAbout: string[] }) {
    const all = await judging(caller)
    all.clock.pass(251)
    const { tokens, held, roles } = all
    for (const { state } of [tokens, held, roles]) state.near = undefined
    const answer = async () => {
      const asked = await all.ask()
      for (const hand of [all.registry, all.exchange]) await hand.pulls.at(-1)?.fail()
      all.clock.pass(1_001)
      for (const hand of [all.registry, all.exchange]) hand.feed.tick()
      await settle()
      return asked.outcome
    }
    return { ...all, answer }
  }

  // Without a lease nothing is allowed, and nothing is denied that may be allowed by now: UNAVAILABLE. Seen to fail with
  // a lease that never lapses.
  it('is UNAVAILABLE where what was known may have changed', async () => {
    const { answer, judged } = await lapsed()
    expect(await answer()).toMatchObject({ error: { kind: 'UNAVAILABLE', reason: 'LEASE_LAPSED' } })
    expect(judged).toEqual([])
  })

  it('is UNAVAILABLE where the identity was disabled, which may have been undone', async () => {
    const { answer, held } = await lapsed()
    held.state.last = entryAt(3, { ...grants, state: 'disabled' as const })
    expect(await answer()).toMatchObject({ error: { kind: 'UNAVAILABLE' } })
  })

  it('is UNAVAILABLE where nothing is known of the token', async () => {
    const { answer, tokens } = await lapsed()
    tokens.state.last = undefined
    expect(await answer()).toMatchObject({ error: { kind: 'UNAVAILABLE' } })
  })

  // Nobody waits for what no pull could change. Seen to fail with the test made when the pulls have failed.
  it('is refused at once where the token was revoked', async () => {
    const { ask, tokens } = await lapsed()
    tokens.state.last = entryAt(3, { ...token, revoked: true })
    expect((await ask()).outcome).toMatchObject(rejected)
  })

  // Who may not ask about the organization is not told in an outage which of its tokens were revoked.
  it('is UNAVAILABLE where a token was revoked that the caller may not ask about', async () => {
    const { answer, tokens } = await lapsed({ mayAskAbout: ['another'] })
    tokens.state.last = entryAt(3, { ...token, revoked: true })
    expect(await answer()).toMatchObject({ error: { kind: 'UNAVAILABLE' } })
  })

  it('is refused at once where the identity was deleted', async () => {
    const { ask, held } = await lapsed()
    held.state.last = entryAt(3, { ...grants, state: 'absent' as const })
    expect((await ask()).outcome).toMatchObject(rejected)
  })

  // Seen to fail with the latest time that it may be.
  it('is refused where the token has expired by the earliest time that it can be, and not before', async () => {
    const { ask, answer, tokens, clock } = await lapsed()
    tokens.state.last = entryAt(3, { ...token, expireMillis: DATABASE_MILLIS + 251 + 1 })
    clock.suspend(60_000)
    expect(await answer()).toMatchObject({ error: { kind: 'UNAVAILABLE' } })
    expect((await ask()).outcome).toMatchObject(rejected)
  })
})

describe('a question whose reads fail', () => {
  it('is what they failed with', async () => {
    const { tokens, ask } = await judging()
    tokens.state.near = undefined
    tokens.state.last = undefined
    const asked = await ask()
    await tokens.reads[0]?.refuse(unavailable())
    expect(asked.outcome).toMatchObject({ error: { kind: 'UNAVAILABLE', reason: 'PEER_UNAVAILABLE' } })
  })
})
