import type { Answer, TrackId } from './history.js'
import type { Random } from './random.js'
import type { Recorder } from './recorder.js'
import type { SigningKey, SigningKeys } from './signing-keys.js'
import { FROM_EVERYWHERE, type Trust } from './trusted-addresses.js'
import type { Organization, World } from './world.js'

// What is known to be true of some identities that share a project and roles. One change of it is under way at a time, so
// that the truth is a sequence.

export type Effect = 'allow' | 'deny' | 'none'

export type Role = { readonly id: string; readonly name: string; etag: string; effect: Effect }

/** The organization (no project id) or a project. */
export type Scope = { readonly projectId: string; roles: Role[]; isGone: boolean; name: string | undefined }

/** `held` are the roles that the binding names, `roles` those whose window is open. Without an id it was not looked up yet. */
export type Bound = { id: string; etag: string; held: readonly Role[]; roles: readonly Role[]; window: { readonly start?: Date; readonly end?: Date } }

/** One that was rotated with an overlap that ends soon is not used any more by those who knew it. */
export type Secret = Source & { readonly id: string; readonly text: string; readonly track: TrackId; endsSoon: boolean }

/** A name in certificates. Whether one whose creation was not heard of may still be made, late: then it is left alone. */
export type Principal = { readonly name: string; readonly track: TrackId; id: string; isThere: boolean; mayReturn: boolean }

/** What a token was obtained with. */
export type Source = { readonly trust: Trust; isLive: boolean }

/** Of which it is sure whether it is there, unless nothing was heard of a change of it. */
export type TokenAuth = Source & { isSure: boolean }

export type Token = { readonly id: string; readonly text: string; readonly track: TrackId; readonly source: Source; readonly key: SigningKey; isLive: boolean }

export type Identity = {
  readonly id: string
  /** Undefined where a renaming may still be under way. */
  name: string | undefined
  state: 'active' | 'disabled' | 'deleted'
  clientId: string
  /** Whether a change of which nothing was heard may still happen, late: then only what ends all such is done to it. */
  isTainted: boolean
  readonly bound: Map<Scope, Bound>
  readonly tracks: Map<Scope | 'login', TrackId>
  /** Of Universal Auth, where it has that. */
  trust: Trust | undefined
  tokenAuth: TokenAuth | undefined
  secrets: Secret[]
  tokens: Token[]
  principals: Principal[]
  touchedAt: number
  enabledAt: number
}

export type Tools = { readonly world: World; readonly recorder: Recorder; readonly keys: SigningKeys; readonly boundMillis: number; gaveUp(): boolean; readonly onChanged: (change: Changed) => void }

/** What was acknowledged, for those who ask. */
export type Changed = { readonly change: number; readonly revision: string; readonly group: Group; readonly tracks: ReadonlySet<TrackId>; readonly about: Identity | undefined; readonly what: string }

/** Tokens that are over are still asked about: these must stay so. */
const KEPT_TOKENS = 3
const KEPT_DELETED = 3

export class Group {
  identities: readonly Identity[] = []
  readonly inOrganization: Scope = { projectId: '', roles: [], isGone: false, name: '' }
  project: Scope | undefined
  /** Projects that were deleted, and roles with them: nobody holds anything there any more. */
  readonly gone: Scope[] = []
  lastChange: Changed | undefined

  constructor(
    readonly name: string,
    readonly organization: Organization,
    readonly random: Random,
    readonly tools: Tools,
  ) {}

  get registry() {
    return this.tools.world.registry(this.random, this.organization.token)
  }

  get exchange() {
    return this.tools.world.exchange(this.random, this.organization.token)
  }

  /** A change of something here was acknowledged. */
  heard(changed: Changed): void {
    if (changed.revision !== '') this.lastChange = changed
    this.tools.onChanged(changed)
  }

  /** A name that nothing else has, nor ever had. */
  freshName(kind: string): string {
    return `${this.name}-${kind}-${this.tools.recorder.nextId()}`
  }

  get scopes(): Scope[] {
    return [this.inOrganization, ...(this.project ? [this.project] : [])]
  }

  /** The value of everything that answers rest on here. */
  values(): Map<TrackId, Answer> {
    const values = new Map<TrackId, Answer>()
    for (const identity of this.identities) {
      for (const { track, addresses } of trustsOf(identity)) values.set(track, addresses.value)
      for (const { track, isThere } of identity.principals) values.set(track, isThere ? 'allow' : 'rejected')
      for (const [of, track] of identity.tracks) values.set(track, of === 'login' ? loginValue(identity) : valueOf(identity, of))
      for (const { track, isLive } of [...identity.secrets, ...identity.tokens]) values.set(track, isLive ? 'allow' : 'rejected')
    }
    return values
  }

  addIdentity(id: string, name: string): Identity {
    const { recorder } = this.tools
    const identity: Identity = {
      ...{ id, name, state: 'active', clientId: '', isTainted: false, trust: undefined, tokenAuth: undefined, secrets: [], tokens: [], principals: [], touchedAt: -Infinity, enabledAt: -Infinity },
      bound: new Map(),
      tracks: new Map(),
    }
    const deleted = this.identities.filter(({ state }) => state === 'deleted')
    const forgotten = new Set(deleted.slice(0, -KEPT_DELETED))
    this.identities = [...this.identities.filter((one) => !forgotten.has(one)), identity]
    identity.tracks.set('login', `login of ${short(id)}`)
    recorder.note({ type: 'track', track: `login of ${short(id)}`, feed: 'registry', value: 'allow' })
    identity.bound.set(this.inOrganization, { id: '', etag: '', held: [], roles: [], window: {} })
    for (const scope of this.scopes) this.#track(identity, scope)
    return identity
  }

  addProject(project: Scope): void {
    this.project = project
    for (const identity of this.identities) this.#track(identity, project)
  }

  /** What an identity was created with, before anybody asks about it. */
  #track(identity: Identity, scope: Scope): void {
    const track = `${short(identity.id)} in ${scope.projectId === '' ? 'the organization' : short(scope.projectId)}`
    identity.tracks.set(scope, track)
    this.tools.recorder.note({ type: 'track', track, feed: 'registry', value: valueOf(identity, scope) })
  }

  /** As an auth method begins. */
  newTrust(method: string, etag = ''): Trust {
    const track = `addresses of ${method} ${this.tools.recorder.nextId()}`
    this.tools.recorder.note({ type: 'track', track, feed: 'exchange', value: FROM_EVERYWHERE.value })
    return { track, addresses: FROM_EVERYWHERE, etag }
  }

  /** A name that is nobody's yet, and is asked about already. */
  newPrincipal(identity: Identity): Principal {
    const name = `spiffe://${this.freshName('principal')}`
    const principal = { name, track: name, id: '', isThere: false, mayReturn: false }
    this.tools.recorder.note({ type: 'track', track: name, feed: 'exchange', value: 'rejected' })
    identity.principals.push(principal)
    return principal
  }

  addSecret(identity: Identity, { id, text }: Pick<Secret, 'id' | 'text'>): void {
    const { trust } = identity
    if (!trust) throw new Error(`${identity.id} has a secret and no Universal Auth`)
    const track = `secret ${short(id)}`
    this.tools.recorder.note({ type: 'track', track, feed: 'exchange', value: 'allow' })
    identity.secrets = [...identity.secrets.slice(-KEPT_TOKENS), { id, text, track, trust, isLive: true, endsSoon: false }]
  }

  addToken(identity: Identity, { id, text, source }: Pick<Token, 'id' | 'text' | 'source'>): void {
    const track = `token ${short(id)}`
    const key = this.tools.keys.of(text)
    this.tools.recorder.note({ type: 'track', track, feed: 'exchange', value: source.isLive ? 'allow' : 'rejected' })
    identity.tokens = [...identity.tokens.slice(-KEPT_TOKENS), { id, text, source, key, track, isLive: source.isLive }]
  }

  /** Another text of the lineage, which rests on the same and on the key that signed it. */
  addRenewed(identity: Identity, token: Token, text: string): void {
    identity.tokens = [...identity.tokens.slice(-KEPT_TOKENS), { ...token, text, key: this.tools.keys.of(text) }]
  }
}

export const short = (id: string): string => id.slice(-8)

export function valueOf({ state, bound }: Identity, scope: Scope): Answer {
  if (state !== 'active') return 'rejected'
  const effects = scope.isGone ? [] : (bound.get(scope)?.roles ?? []).map(({ effect }) => effect)
  return effects.includes('allow') && !effects.includes('deny') ? 'allow' : 'deny'
}

function trustsOf({ trust, tokenAuth, tokens }: Identity): readonly Trust[] {
  return [...(trust ? [trust] : []), ...(tokenAuth ? [tokenAuth.trust] : []), ...tokens.map(({ source }) => source.trust)]
}

const loginValue = ({ state }: Identity): Answer => (state === 'active' ? 'allow' : 'rejected')

/** Whether neither it nor the key that signed it was revoked. */
export const isGood = ({ isLive, key }: Token): boolean => isLive && key.state !== 'revoked'
/** Whether its auth method lets it be used from here. */
export const isTrustedHere = ({ source: { trust } }: Token): boolean => trust.addresses.value === 'allow'
export const liveToken = ({ tokens }: Identity): Token | undefined => tokens.findLast(isGood)
export const liveSecret = ({ secrets }: Identity): Secret | undefined => secrets.findLast(({ isLive, endsSoon }) => isLive && !endsSoon)

/** Whether auth-exchange has to know by now that it is active. */
export const isSeenActive = ({ tools: { recorder, boundMillis } }: Group, { state, enabledAt }: Identity): boolean =>
  state === 'active' && recorder.now() > enabledAt + 2 * boundMillis
