import { Metadata } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import { systemClock } from '#libs/clock.js'
import { demandsOn } from '#libs/freshness/consistency.js'
import { createIds } from '#libs/ids.js'
import { traceOf } from '#libs/rpc/trace.js'
import type { Call } from '#libs/rpc/unary.js'
import { requestOf } from '../../../test/support/envoy.js'
import { entryAt, handClock, handFeed } from '../../../test/support/hand-feed.js'
import { roleFrom } from '../domain/grants.js'
import { decidingBy } from './deciding.js'
import { envoyCheck } from './envoy-check.js'
import { gathering } from './gather.js'
import { judgeBy } from './judge.js'
import { compiledRoutes } from './routes.js'
import { rulingBy } from './ruling.js'

const LATER = 2_000_000_000_000

/** Everything is in memory, and both leases are as old as the clock says. */
async function door() {
  const clock = handClock()
  const [registry, exchange] = [handFeed(clock, 'registry'), handFeed(clock, 'exchange')]
  for (const hand of [registry, exchange]) {
    hand.feed.tick()
    await hand.answer(7)
  }
  const feeds = { registry: registry.feed, exchange: exchange.feed }
  const holding = <Value>(value: Value) => ({ near: () => entryAt(7, value), last: () => undefined, expect: () => undefined, read: () => Promise.reject(new Error('nothing has to be read')) })
  const gather = gathering({
    tokens: holding({ tokenId: 't', organizationId: 'o', identityId: 'i', credentialId: 's', method: 'universal-auth', expireMillis: LATER, revoked: false, useLimited: false, trusted: undefined }),
    principals: holding({ organizationId: 'o', mapped: { principalId: 'p', identityId: 'i' } }),
    grants: holding({ state: 'active' as const, identityName: 'n', grants: [{ roleId: 'r', startMillis: -Infinity, endMillis: Infinity }] }),
    roles: holding(roleFrom({ roleId: 'r', role: 'viewer', rules: [{ effect: 'allow', resources: ['orders'], actions: ['get'], conditions: [] }] })),
    feeds,
  })
  const judge = judgeBy({ gather, feeds, demands: demandsOn([registry.feed, exchange.feed], clock.now), now: clock.now })
  const ruling = rulingBy({ judge, countUse: () => Promise.reject(new Error('nothing is to be counted')) })
  const deciding = decidingBy({ ruling, asker: () => ({ mayAskAbout: () => true }), ids: createIds(systemClock), decided: () => undefined })
  const notes: unknown[] = []
  const call: Call = { path: '/p', metadata: new Metadata(), peer: '', peerAddress: undefined, peerNames: [], trace: traceOf(new Metadata()), deadline: Infinity, note: (note) => void notes.push(note) }
  const check = envoyCheck({ deciding, feeds, routes: compiledRoutes(), now: clock.now })
  const ask = (extensions: Record<string, string> = {}, headers: readonly (readonly [string, string])[] = [['authorization', 'Bearer secret.token.text']], method = 'GET') =>
    check(requestOf({ extensions: { action: '{{method}}', resource: 'orders', ...extensions }, headers, method, principal: 'spiffe://o/n', path: '/secret-path?secret=query' }), call)
  return { clock, ask, notes }
}

const ORGANIZATION = '01900000-0000-7000-8000-000000000000'

describe('a request whose answer is in memory', () => {
  // A promise costs as much as a check: seen to fail with a handler that is async.
  it('is answered at once, by token and by certificate, let through or not', async () => {
    const { ask } = await door()
    for (const answer of [ask(), ask({ organization: ORGANIZATION }, [])]) expect(answer).toMatchObject({ httpResponse: { $case: 'okResponse' } })
    expect(ask({}, undefined, 'DELETE')).toMatchObject({ httpResponse: { $case: 'deniedResponse' } })
  })

  it('leaves in the log what was asked and decided, and nothing of the request', async () => {
    const { ask, notes } = await door()
    for (const headers of [undefined, []]) expect(ask({ organization: ORGANIZATION }, headers)).toBeDefined()
    const [asked, decided, byCertificate] = notes
    expect(asked).toEqual({ organization_id: 'o', identity_id: 'i', token_id: 't', action: 'get', resource: 'orders' })
    expect(decided).toMatchObject({ allowed: true, decision_reason: 'allowed-by-rule' })
    expect(byCertificate).toEqual({ organization_id: 'o', identity_id: 'i', principal_id: 'p', action: 'get', resource: 'orders' })
    expect(JSON.stringify(notes)).not.toContain('secret')
  })
})

describe('how long an answer may be given again', () => {
  it.each([[0, 250], [100, 150], [249.5, 0]])('is what is left of the bound, %d ms after the pull: %d ms', async (age, millis) => {
    const { ask, clock } = await door()
    clock.pass(age)
    expect(ask()).toMatchObject({ dynamicMetadata: { cacheable_for_ms: millis } })
  })
})
