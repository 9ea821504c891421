import { setTimeout as sleep } from 'node:timers/promises'
import type { Consistency } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { FeedName } from '#libs/freshness/entities.js'
import type { Calls } from '../support/calls.js'
import type { Member } from '../support/fleet.js'
import { BOUNDED, FULL } from './consistency.js'
import { type Answered, askCheck, askExtAuthz } from './doors.js'
import type { Changed, Group, Identity, Principal, Secret, Token } from './group.js'
import { isGood, short } from './group.js'
import type { Demand, Place, TrackId } from './history.js'
import { placesIn } from './places.js'
import type { Random } from './random.js'
import { answerOf } from './recorder.js'

/** What can be asked about: a token in a scope, the name in a certificate there, or a login. */
export type Subject = { readonly name: string; readonly group: Group; readonly tracks: readonly TrackId[] } & (
  | { readonly kind: 'check'; readonly token: Token; readonly projectId: string }
  | { readonly kind: 'principal'; readonly principal: Principal; readonly projectId: string }
  | { readonly kind: 'login'; readonly clientId: string; readonly secret: Secret }
)

/** What authorization-check is asked about. */
export type Checked = Exclude<Subject, { kind: 'login' }>

type Asked = { readonly request: number; readonly revision: string; readonly replica: string }
export type Demanded = { readonly demand: Demand; readonly consistency: Consistency }

export const demandNothing: Demanded = { demand: { level: 'bounded' }, consistency: BOUNDED }
export const demandFull: Demanded = { demand: { level: 'full' }, consistency: FULL }

const DEADLINE_MILLIS = 1_000
/** How long what has just changed is asked about more than the rest. */
const HOT_MILLIS = 1_500

/** Asks at random replicas, and most about what has just changed. */
export class Asker {
  /** The newest places that anybody was told of. */
  readonly newest = new Map<FeedName, Place>()
  readonly #hot: { readonly changed: Changed; readonly until: number }[] = []
  readonly #last = new Map<string, Asked>()

  constructor(
    private readonly groups: readonly [Group, ...Group[]],
    private readonly random: Random,
  ) {}

  async run(isOver: () => boolean): Promise<void> {
    const { random } = this
    while (!isOver()) {
      const subject = this.#pick()
      if (subject) await this.#askAnywhere(subject)
      await sleep(random.between(5, 25))
    }
  }

  /** Asks everywhere at once about what was just acknowledged, and more often for a while. */
  heed(changed: Changed): void {
    const isReloaded = changed.what === 'UpdateIdentity'
    if (changed.tracks.size === 0 && !isReloaded) return
    this.#hot.push({ changed, until: changed.group.tools.recorder.now() + changed.group.tools.boundMillis + HOT_MILLIS })
    const subjects = subjectsOf(changed.group).filter(isReloaded ? (one) => isLiveOf(one, changed.about) : (one) => isAbout(one, changed))
    for (const { name } of checksOf(changed.group)) {
      const subject = this.random.pick(subjects)
      if (!subject || subject.kind === 'login') continue
      const asking = this.askAt(name, subject, this.#demanded(subject, isReloaded ? 0 : 0.5))
      // Behind what it has answered from it may not go back.
      void asking.then(() => (this.random.chance(0.4) ? this.askAt(name, subject, demandNothing) : undefined))
    }
  }

  #pick(): Subject | undefined {
    const { random } = this
    const now = this.groups[0].tools.recorder.now()
    while ((this.#hot[0]?.until ?? Infinity) < now) this.#hot.shift()
    const hot = random.chance(0.7) ? random.pick(this.#hot)?.changed : undefined
    const group = hot?.group ?? random.oneOf(this.groups)
    const shares = { check: 1, principal: hot ? 1 : 0.3, login: hot ? 0.5 : 0.15 }
    const all = subjectsOf(group).filter(({ kind }) => random.chance(shares[kind]))
    const touched = hot ? all.filter((one) => isAbout(one, hot)) : []
    return random.pick(touched) ?? random.pick(all)
  }

  async #askAnywhere(subject: Subject): Promise<void> {
    const { tools: { world } } = subject.group
    const member = this.random.pick(subject.kind === 'login' ? world.fleet.exchanges : world.fleet.checks)
    if (!member) return
    if (subject.kind === 'login') await this.#logIn(member, subject)
    else await this.askAt(member.name, subject, this.#demanded(subject, 0.4))
  }

  /** Bounded but for a share. */
  #demanded({ name, kind: asked, group }: Subject, share: number): Demanded {
    const { random } = this
    if (!random.chance(share)) return demandNothing
    if (asked === 'principal') return demandFull
    const { lastChange } = group
    const last = this.#last.get(name)
    const kind = random.oneOf(['full', 'change', 'change', 'request'])
    if (kind === 'change' && lastChange) return atLeast(lastChange.revision, { change: lastChange.change })
    if (kind === 'request' && last) return atLeast(last.revision, { request: last.request })
    return demandFull
  }

  /** Asks one replica and has the answer judged. */
  async askAt(replica: string, subject: Checked, { demand, consistency }: Demanded): Promise<string> {
    const { world, recorder } = subject.group.tools
    const member = world.fleet.checks.find(({ name }) => name === replica)
    if (!member) throw new Error(`there is no ${replica}`)
    const { name, tracks } = subject
    const request = recorder.nextId()
    recorder.note({ type: 'asked', request, replica, subject: name, tracks, demand })
    const { answer, revision } = await this.#ask(world.at(member), subject, { demand, consistency })
    const places = placesIn(revision)
    recorder.note({ type: 'answered', request, answer, places })
    if (revision !== '') this.#last.set(name, { request, revision, replica })
    for (const place of places) this.newest.set(place.feed, place)
    return answer
  }

  /** A route of Envoy's has no revision to wait for; only Envoy sees certificates. */
  #ask(calls: Calls, subject: Checked, { demand, consistency }: Demanded): Promise<Answered> {
    const { projectId, group } = subject
    if (subject.kind === 'principal') {
      const { organizationId } = group.organization.admin
      return askExtAuthz(calls, { shown: { principal: subject.principal.name, organizationId }, projectId, consistency })
    }
    const ask = demand.level !== 'at-least' && this.random.chance(0.3) ? askExtAuthz : askCheck
    return ask(calls, { shown: subject.token.text, projectId, consistency })
  }

  async #logIn(member: Member, subject: Extract<Subject, { kind: 'login' }>): Promise<void> {
    const { world, recorder } = subject.group.tools
    const request = recorder.nextId()
    const proof = { $case: 'universalAuth', value: { clientId: subject.clientId, clientSecret: subject.secret.text } } as const
    recorder.note({ type: 'asked', request, replica: member.name, subject: subject.name, tracks: subject.tracks, demand: { level: 'bounded' } })
    const answer = await world.at(member)(Exchange.login, { proof }, DEADLINE_MILLIS).then(() => 'allow', answerOf)
    recorder.note({ type: 'answered', request, answer: isRejection(answer) ? 'rejected' : answer, places: [] })
  }
}

const isRejection = (answer: string): boolean => answer.startsWith('UNAUTHENTICATED CREDENTIALS_REJECTED') || answer.startsWith('RESOURCE_EXHAUSTED LOGIN_THROTTLED')

function atLeast(revision: string, since: { readonly change?: number; readonly request?: number }): Demanded {
  return { demand: { level: 'at-least', places: placesIn(revision), ...since }, consistency: { level: { $case: 'atLeast', value: revision } } }
}

const isAbout = ({ tracks }: Subject, changed: Changed): boolean => tracks.some((track) => changed.tracks.has(track))

const isLiveOf = (subject: Subject, about: Identity | undefined): boolean => subject.kind === 'check' && isGood(subject.token) && about?.tokens.includes(subject.token) === true

const checksOf = ({ tools }: Group): readonly Member[] => tools.world.fleet.checks

/** Everything that can be asked about the identities of a group: what is over, too. */
export function subjectsOf(group: Group): Subject[] {
  return group.identities.flatMap((identity): Subject[] => {
    const all = [...identity.tracks]
    const scopes = all.filter(([scope], index) => scope === group.inOrganization || index >= all.length - 2)
    const checks = identity.tokens.flatMap((token) =>
      scopes.flatMap(([scope, track]): Subject[] =>
        scope === 'login' ? [] : [{ kind: 'check', name: `${group.name}: token ${short(token.id)}, ${track}`, group, token, projectId: scope.projectId, tracks: [token.track, token.key.track, token.source.trust.track, track] }],
      ),
    )
    const principals = identity.principals.flatMap((principal) =>
      scopes.flatMap(([scope, track]): Subject[] =>
        scope === 'login' ? [] : [{ kind: 'principal', name: `${group.name}: ${principal.name}, ${track}`, group, principal, projectId: scope.projectId, tracks: [principal.track, track] }],
      ),
    )
    const loginTrack = identity.tracks.get('login')
    const logins = identity.secrets.map((secret): Subject => ({
      kind: 'login',
      name: `${group.name}: login with secret ${short(secret.id)}`,
      group,
      clientId: identity.clientId,
      secret,
      tracks: [secret.track, ...(loginTrack === undefined ? [] : [loginTrack])],
    }))
    return [...checks, ...principals, ...logins]
  })
}
