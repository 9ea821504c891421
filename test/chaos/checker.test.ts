import { describe, expect, it } from 'vitest'
import { check, type Rule } from './checker.js'
import type { Answer, Demand, Event, Place, Unstamped } from './history.js'

// Histories made by hand: one for each thing that must be found, and its nearest neighbours that must not.

const SETTINGS = { boundMillis: 250, recoverWithinMillis: 5_000 }
const GRANTS = 'grants'
const TOKEN = 'token'

type Ask = { replica?: string; tracks?: string[]; demand?: Demand; places?: Place[] }

/** A history that is written in the order of its times. */
class Story {
  readonly events: Event[] = []
  #request = 0

  constructor() {
    this.at(0, { type: 'track', track: GRANTS, feed: 'registry', value: 'allow' })
    this.at(0, { type: 'track', track: TOKEN, feed: 'exchange', value: 'allow' })
  }

  at(at: number, happened: Unstamped): this {
    this.events.push({ at, ...happened })
    return this
  }

  change(change: number, [sent, acked]: readonly [number, number], value: Answer, { track = GRANTS, places = [], exact = true }: { track?: string; places?: Place[]; exact?: boolean } = {}): this {
    const feed = track === GRANTS || track === 'another' ? 'registry' : 'exchange'
    this.at(sent, { type: 'change', change, what: 'a change', feed, values: [{ track, value }] })
    return acked === Infinity ? this : this.at(acked, { type: 'changed', change, places, exact })
  }

  ask([sent, ended]: readonly [number, number], answer: string, { replica = 'check-1', tracks = [TOKEN, GRANTS], demand = { level: 'bounded' }, places = [] }: Ask = {}): this {
    const request = (this.#request += 1)
    this.at(sent, { type: 'asked', request, replica, subject: 'somebody', tracks, demand })
    return this.at(ended, { type: 'answered', request, answer, places })
  }

  get found(): Rule[] {
    return check(this.events.toSorted((one, other) => one.at - other.at), SETTINGS).violations.map(({ rule }) => rule)
  }
}

const story = () => new Story()
const registryAt = (seq: number, epoch = 'first'): Place => ({ feed: 'registry', epoch, seq })
const full: Demand = { level: 'full' }
const atLeast = (demand: Omit<Extract<Demand, { level: 'at-least' }>, 'level' | 'places'> & { places?: Place[] }): Demand => ({ level: 'at-least', places: [], ...demand })

describe('allowed too late', () => {
  it('is what is sent later than the bound after the acknowledgement', () => {
    expect(story().change(1, [100, 110], 'deny').ask([361, 365], 'allow').found).toEqual(['allowed-too-late'])
    expect(story().change(1, [100, 110], 'rejected', { track: TOKEN }).ask([361, 365], 'allow').found).toEqual(['allowed-too-late'])
  })

  it.each([
    ['sent within the bound, however late it ends', story().change(1, [100, 110], 'deny').ask([360, 900], 'allow')],
    ['while nothing is known of the change', story().change(1, [100, Infinity], 'deny').ask([5_000, 5_010], 'allow')],
    ['after it was allowed again', story().change(1, [100, 110], 'deny').change(2, [400, 410], 'allow').ask([405, 412], 'allow')],
    ['by a login that is about something else', story().change(1, [100, 110], 'deny', { track: 'another' }).ask([900, 905], 'allow')],
  ])('is not what is allowed %s', (_name, { found }) => expect(found).toEqual([]))

  it('is told with the window of time that had closed', () => {
    const closing = (sent: number) =>
      story()
        .at(100, { type: 'change', change: 1, what: 'UpdateBinding', feed: 'registry', values: [] })
        .at(100, { type: 'turn', change: 1, track: GRANTS, value: 'deny', from: 750, until: 1_020 })
        .at(110, { type: 'changed', change: 1, places: [], exact: true })
        .ask([sent, sent + 5], 'allow').found
    expect(closing(1_021)).toEqual(['allowed-too-late'])
    expect(closing(1_019)).toEqual([])
  })
})

describe('outdated', () => {
  it('is another refusal than the one that was due', () => {
    expect(story().change(1, [10, 20], 'deny').change(2, [100, 110], 'rejected').ask([361, 365], 'deny').found).toEqual(['outdated'])
    expect(story().change(1, [10, 20], 'deny').change(2, [100, 110], 'rejected').ask([360, 365], 'deny').found).toEqual([])
  })
})

describe('an address that is not trusted', () => {
  const ADDRESSES = 'addresses'
  const narrowed = () => story().at(0, { type: 'track', track: ADDRESSES, feed: 'exchange', value: 'allow' }).change(1, [100, 110], 'elsewhere', { track: ADDRESSES })
  const ask = (told: Story, sent: number, answer: string) => told.ask([sent, sent + 5], answer, { tracks: [TOKEN, ADDRESSES, GRANTS] }).found

  it('is allowed too late, and refused by a fault, as anything else', () => {
    expect(ask(narrowed(), 361, 'allow')).toEqual(['allowed-too-late'])
    expect(ask(narrowed(), 361, 'elsewhere')).toEqual([])
    expect(ask(story().at(0, { type: 'track', track: ADDRESSES, feed: 'exchange', value: 'allow' }), 361, 'elsewhere')).toEqual(['refused-by-fault'])
  })

  it('comes before what roles say, and after a token that is good for nothing', () => {
    expect(ask(narrowed().change(2, [120, 130], 'deny'), 500, 'elsewhere')).toEqual([])
    expect(ask(narrowed().change(2, [120, 130], 'deny'), 500, 'deny')).toEqual(['outdated'])
    expect(ask(narrowed().change(2, [120, 130], 'rejected', { track: TOKEN }), 500, 'rejected')).toEqual([])
    expect(ask(narrowed().change(2, [120, 130], 'rejected', { track: TOKEN }), 500, 'elsewhere')).toEqual(['outdated'])
  })
})

describe('refused by a fault', () => {
  it.each(['deny', 'rejected'] as const)('is %s where it was allowed all along', (answer) => {
    expect(story().ask([500, 505], answer).found).toEqual(['refused-by-fault'])
    expect(story().change(1, [10, 20], 'deny').change(2, [100, 110], 'allow').ask([361, 365], answer).found).toEqual(['refused-by-fault'])
  })

  it.each([
    ['no answer at all', story().ask([500, 1_500], 'unavailable')],
    ['within the bound after it was allowed again', story().change(1, [10, 20], 'deny').change(2, [100, 110], 'allow').ask([360, 365], 'deny')],
    ['while a refusal is under way', story().change(1, [100, Infinity], 'deny').ask([5_000, 5_010], 'deny')],
    ['by a change that was sent before the answer', story().change(1, [504, 600], 'deny').ask([500, 505], 'deny')],
    ['for the token, when both were taken', story().change(1, [100, 110], 'deny').change(2, [120, 130], 'rejected', { track: TOKEN }).ask([900, 905], 'rejected')],
    // Each feed is as old as the bound allows by itself.
    ['by one feed that is newer than the other', story().change(1, [100, 110], 'rejected', { track: TOKEN }).change(2, [120, 130], 'deny').ask([200, 205], 'deny')],
  ])('is not %s', (_name, { found }) => expect(found).toEqual([]))

  it('is no status but UNAVAILABLE, and no mutating call', () => {
    expect(story().ask([500, 505], 'INTERNAL INTERNAL: something').found).toEqual(['status'])
    expect(story().at(9, { type: 'refused', what: 'CreateRole', answer: 'PERMISSION_DENIED' }).found).toEqual(['status'])
  })
})

describe('a demand', () => {
  it('is missed by a full answer without what was acknowledged before', () => {
    expect(story().change(1, [100, 110], 'deny').ask([111, 120], 'allow', { demand: full }).found).toEqual(['demand-missed'])
    expect(story().change(1, [100, 110], 'deny').ask([109, 120], 'allow', { demand: full }).found).toEqual([])
  })

  it.each(['deny', 'allow'] as const)('is missed by an answer that is older than the change: %s', (value) => {
    const other = value === 'allow' ? 'deny' : 'allow'
    const changed = () => story().change(1, [10, 20], other).change(2, [400, 410], value)
    expect(changed().ask([411, 420], other, { demand: atLeast({ change: 2 }) }).found).toEqual(['demand-missed'])
    expect(changed().ask([411, 420], value, { demand: atLeast({ change: 2 }) }).found).toEqual([])
    expect(changed().ask([411, 420], other, { demand: atLeast({ change: 1 }) }).found).toEqual([])
    expect(changed().ask([411, 420], other).found).toEqual([])
  })

  it('is missed by an answer that is older than what came before the change in its feed', () => {
    const changed = story().change(1, [100, 110], 'deny').change(2, [120, 130], 'allow', { track: 'another' })
    expect(changed.ask([131, 140], 'allow', { demand: atLeast({ change: 2 }) }).found).toEqual(['demand-missed'])
    const elsewhere = story().change(1, [100, 110], 'deny').change(2, [120, 130], 'rejected', { track: TOKEN })
    expect(elsewhere.ask([131, 140], 'deny', { demand: atLeast({ change: 1 }) }).found).toEqual([])
  })

  it('is missed by an answer that is older than one of another replica', () => {
    const answered = () => story().change(1, [100, 110], 'deny').ask([111, 115], 'deny', { replica: 'check-2' })
    expect(answered().ask([120, 125], 'allow', { demand: atLeast({ request: 1 }) }).found).toEqual(['demand-missed'])
    expect(answered().ask([120, 125], 'deny', { demand: atLeast({ request: 1 }) }).found).toEqual([])
    expect(answered().ask([120, 125], 'allow').found).toEqual([])
  })

  it('is missed by an answer that is older than a place', () => {
    const changed = () => story().change(1, [100, 110], 'deny', { places: [registryAt(7)] })
    expect(changed().ask([111, 120], 'allow', { demand: atLeast({ places: [registryAt(7)] }) }).found).toEqual(['demand-missed'])
    expect(changed().ask([111, 120], 'allow', { demand: atLeast({ places: [registryAt(6)] }) }).found).toEqual([])
  })
})

describe('an answer', () => {
  const changed = (exact = true) => story().change(1, [100, 110], 'deny', { places: [registryAt(7)], exact })

  it('is the one of its revision: neither older nor newer', () => {
    expect(changed().ask([111, 115], 'allow', { places: [registryAt(7)] }).found).toEqual(['not-its-revision'])
    expect(changed().ask([111, 115], 'deny', { places: [registryAt(6)] }).found).toEqual(['not-its-revision'])
    expect(changed().ask([111, 115], 'deny', { places: [registryAt(7)] }).found).toEqual([])
    expect(changed().ask([111, 115], 'allow', { places: [registryAt(6)] }).found).toEqual([])
  })

  it('may be newer where the change may have happened earlier than it was heard of, and where numbers are of another epoch', () => {
    expect(changed(false).ask([111, 115], 'deny', { places: [registryAt(6)] }).found).toEqual([])
    expect(changed().ask([111, 115], 'deny', { places: [registryAt(6, 'second')] }).found).toEqual([])
    expect(changed().ask([111, 115], 'allow', { places: [registryAt(9, 'second')] }).found).toEqual([])
  })
})

describe('a replica', () => {
  const changed = () => story().change(1, [100, 110], 'deny')

  it('goes back when it has answered from what is newer', () => {
    expect(story().change(1, [100, 110], 'rejected').ask([111, 115], 'rejected').ask([116, 120], 'allow').found).toEqual(['went-back'])
    expect(changed().ask([111, 115], 'deny').ask([116, 120], 'allow').found).toEqual(['went-back'])
    expect(changed().change(2, [150, 160], 'allow').ask([170, 175], 'deny').ask([180, 185], 'allow').ask([190, 195], 'deny').found).toEqual(['went-back'])
  })

  it.each([
    ['as long as another does', changed().ask([111, 115], 'deny', { replica: 'check-2' }).ask([116, 120], 'allow')],
    ['in an answer that was asked for before', changed().ask([111, 115], 'deny').ask([114, 120], 'allow')],
    ['when it was allowed again', changed().change(2, [120, 130], 'allow').ask([111, 115], 'deny').ask([121, 125], 'allow')],
    [
      'by a refusal for ever, which needs no newer knowledge',
      story()
        .at(1, { type: 'track', track: 'dead', feed: 'exchange', value: 'allow' })
        .change(1, [50, 60], 'rejected', { track: 'dead' })
        .change(2, [100, 110], 'deny', { places: [registryAt(5)] })
        .ask([111, 115], 'rejected', { tracks: ['dead', GRANTS], demand: atLeast({ places: [registryAt(5)] }) })
        .ask([116, 120], 'allow'),
    ],
  ])('does not go back %s', (_name, { found }) => expect(found).toEqual([]))

  it('goes back when a name in certificates is rejected and then good again, since it can be given again', () => {
    const named = () => story().at(0, { type: 'track', track: 'name', feed: 'exchange', value: 'allow' })
    const taken = (what: string) => named().at(100, { type: 'change', change: 1, what, feed: 'exchange', values: [{ track: 'name', value: 'rejected' }] }).at(110, { type: 'changed', change: 1, places: [], exact: true })
    const asked = (told: Story) => told.ask([111, 115], 'rejected', { tracks: ['name', GRANTS] }).ask([116, 120], 'allow', { tracks: ['name', GRANTS] }).found
    expect(asked(taken('DeletePrincipal'))).toEqual(['went-back'])
  })

  it('may deny, allow and deny around the end of a window', () => {
    const closing = story()
      .at(100, { type: 'change', change: 1, what: 'UpdateBinding', feed: 'registry', values: [] })
      .at(100, { type: 'turn', change: 1, track: GRANTS, value: 'deny', from: 750, until: 1_020 })
      .at(110, { type: 'changed', change: 1, places: [], exact: true })
    expect(closing.ask([800, 805], 'deny').ask([810, 815], 'allow').ask([820, 825], 'deny').found).toEqual([])
  })
})

describe('in the end', () => {
  it('is lost what was acknowledged and is gone, and what was used more often than it could be', () => {
    expect(story().at(9, { type: 'found', what: 'role', expected: 'deny', found: 'allow' }).found).toEqual(['lost'])
    expect(story().at(9, { type: 'found', what: 'role', expected: 'deny', found: 'deny' }).found).toEqual([])
    const used = (times: number) => Array.from({ length: times }).reduce<Story>((told) => told.at(9, { type: 'use', of: 'logins with one', limit: 2 }), story()).found
    expect(used(2)).toEqual([])
    expect(used(3)).toEqual(['lost'])
  })

  it('is late what was not correct again in time', () => {
    expect(story().at(9, { type: 'recovered', faults: ['kill'], millis: 5_001, last: '' }).found).toEqual(['recovery'])
    expect(story().at(9, { type: 'recovered', faults: ['kill'], millis: 4_999, last: '' }).found).toEqual([])
  })
})

describe('windows', () => {
  it('count what fell where a rule could have been broken', () => {
    const { windows } = check(
      story()
        .change(1, [100, 110], 'deny', { places: [registryAt(7)] })
        .ask([111, 115], 'deny', { demand: atLeast({ change: 1 }) })
        .ask([120, 125], 'deny', { places: [registryAt(7)] })
        .ask([361, 365], 'deny')
        .change(2, [500, 510], 'allow')
        .at(800, { type: 'fault', fault: 1, kind: 'kill', target: 'check-1' })
        .ask([801, 805], 'allow').events,
      SETTINGS,
    )
    expect(windows).toEqual({ revoked: 1, allowedUnderFault: 1, demanded: 1, revision: 1, replica: 0 })
  })
})
