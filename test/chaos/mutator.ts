import { setTimeout as sleep } from 'node:timers/promises'
import { monotonicMillis, wallMillis } from '#libs/clock.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { makeToken, tokenAuthOf } from './auth-method-changes.js'
import { afterTurn, bindWhatAllows } from './binding-changes.js'
import { createClientSecret, exchangeChanges, revokeAccessToken, trustToken } from './exchange-changes.js'
import { type Group, type Identity, isTrustedHere, liveSecret, liveToken, type Secret, valueOf } from './group.js'
import { ANSWERS, type Answer, type TrackId } from './history.js'
import type { Gate } from './gate.js'
import { deleteIdentity, IDENTITIES, registryChanges, renameIdentity } from './registry-changes.js'
import { renew } from './renewals.js'
import { allowByRole } from './role-changes.js'
import { CALL_MILLIS, type Changes, type Planner, seeThrough, type Step, type Turn } from './step.js'

const PLANNERS = [...Object.values(registryChanges), ...Object.values(exchangeChanges)]

/** The clocks of the database and of this process are the machine's, read at different times. */
const CLOCK_MARGIN_MILLIS = 20

/** Changes one thing of its group after another until it is told to stop. */
export async function mutate(group: Group, { gate, isOver }: { readonly gate: Gate; readonly isOver: () => boolean }): Promise<void> {
  const { random } = group
  while (!isOver()) {
    await gate.through(() => changeSomething(group, nextStep(group)))
    await sleep(random.between(20, 280))
  }
}

async function changeSomething(group: Group, step: Step | undefined): Promise<void> {
  const made = step && (await perform(group, step))
  if (made !== true) await logIn(group)
}

/** Makes what the group is to begin with: projects, roles, and identities that are allowed things. */
export async function prepare(group: Group): Promise<void> {
  for (let number = 0; number < 500 && !isComplete(group); number += 1) {
    const about = group.identities.toSorted((one, other) => one.touchedAt - other.touchedAt)[0]
    const repair = about && repairOf(group, about)
    if (about) about.touchedAt = group.tools.recorder.now()
    await changeSomething(group, whatIsMissing(group) ?? (repair === 'login' ? undefined : repair))
  }
}

const isComplete = ({ identities, scopes }: Group): boolean =>
  scopes.length === 2 && identities.length >= IDENTITIES && identities.filter((one) => liveToken(one) !== undefined && scopes.every((scope) => valueOf(one, scope) === 'allow')).length >= IDENTITIES - 1

/** Sees a step through. False where it could not be, which is then told. */
export async function perform(group: Group, step: Step): Promise<boolean> {
  const { recorder } = group.tools
  const change = recorder.nextId()
  const before = group.values()
  step.apply?.()
  const values = [...group.values()].filter(([track, value]) => before.get(track) !== value).map(([track, value]) => ({ track, value }))
  assertKind(step, before, values)
  recorder.note({ type: 'change', change, what: step.what, feed: step.feed, values })
  if (step.turn) noteTurn(group, change, step.turn)
  if (step.about) step.about.touchedAt = recorder.now()
  const seen = await seeThrough(group, step, change)
  if (!seen) return false
  const tracks = new Set([...values.map(({ track }) => track), ...seen.turns])
  group.heard({ change, revision: seen.revision, group, tracks, about: step.about, what: step.what })
  const next = step.then?.()
  if (next) await perform(group, next)
  if (step.turn) await passTurn(group, step.turn)
  return true
}

function noteTurn({ tools: { recorder, boundMillis } }: Group, change: number, { track, value, time, ends }: Turn): void {
  const due = time.getTime() - wallMillis() + monotonicMillis()
  // An end comes early by up to the age of what is known, a start late by what a pull may take.
  const [early, late] = ends ? [boundMillis, 0] : [0, boundMillis / 2]
  recorder.note({ type: 'turn', change, track, value, from: due - early - CLOCK_MARGIN_MILLIS, until: due + late + CLOCK_MARGIN_MILLIS })
}

async function passTurn({ identities, random }: Group, { track, time }: Turn): Promise<void> {
  await sleep(Math.max(0, time.getTime() - wallMillis()) + CLOCK_MARGIN_MILLIS + random.between(100, 600))
  for (const { bound, tracks } of identities) {
    for (const [scope, held] of bound) if (tracks.get(scope) === track) afterTurn(held)
  }
}

const PLANNED: ReadonlyMap<string, Changes> = new Map(
  [registryChanges, exchangeChanges].flatMap((all) => Object.entries(all).map(([method, { changes }]): [string, Changes] => [method, changes])),
)

/** That a method does to answers what its planner says that it does. */
function assertKind({ what }: Step, before: ReadonlyMap<TrackId, Answer>, values: readonly { track: TrackId; value: Answer }[]): void {
  const changes = PLANNED.get(what)
  const isAllowed = ({ track, value }: { track: TrackId; value: Answer }) => {
    const gives = ANSWERS.indexOf(value) < ANSWERS.indexOf(before.get(track) ?? value)
    return changes === 'either' || changes === (gives ? 'gives' : 'takes')
  }
  if (changes !== undefined && !values.every(isAllowed)) throw new Error(`${what} is said to change ${changes}, which is not so`)
}

/** Mostly what makes something allowed again that is not, at whatever was left alone for longest; else anything. */
function nextStep(group: Group): Step | undefined {
  const { random, identities, tools: { boundMillis, recorder } } = group
  const living = identities.filter(({ state }) => state !== 'deleted')
  const about = living.toSorted((one, other) => one.touchedAt - other.touchedAt)[random.chance(0.8) ? 0 : random.between(0, Math.max(0, living.length - 1))]
  const missing = whatIsMissing(group)
  if (missing && (random.chance(0.6) || !about)) return missing
  if (!about) return undefined
  const isRested = recorder.now() - about.touchedAt > boundMillis + 200
  const repair = isRested && random.chance(0.85) ? repairOf(group, about) : undefined
  if (repair === 'login') return undefined
  return repair ?? anyStep(group, about)
}

const whatIsMissing = (group: Group): Step | undefined =>
  registryChanges.CreateProject.plan(group, noIdentity) ?? registryChanges.CreateRole.plan(group, noIdentity) ?? registryChanges.CreateIdentity.plan(group, noIdentity)

// For planners that make something new.
const noIdentity: Identity = {
  ...{ id: '', name: '', state: 'deleted', clientId: '', isTainted: false, trust: undefined, tokenAuth: undefined, secrets: [], tokens: [], principals: [], touchedAt: 0, enabledAt: 0 },
  bound: new Map(),
  tracks: new Map(),
}

function repairOf(group: Group, about: Identity): Step | 'login' | undefined {
  const { random } = group
  if (about.isTainted && random.chance(0.4)) return deleteIdentity(group, about)
  const attach = exchangeChanges.AttachUniversalAuth.plan(group, about) ?? registryChanges.EnableIdentity.plan(group, about)
  if (attach) return attach
  if (!liveSecret(about)) return createClientSecret(group, about)
  const token = liveToken(about)
  if (!token) return 'login'
  if (!isTrustedHere(token)) return trustToken(group, about, token, 'allow')
  const bind = registryChanges.CreateBinding.plan(group, about)
  if (bind) return bind
  const scope = about.state === 'active' ? group.scopes.find((one) => valueOf(about, one) !== 'allow') : undefined
  if (!scope) return undefined
  const [first, second] = random.chance(0.5) ? [bindWhatAllows, allowByRole] : [allowByRole, bindWhatAllows]
  return first(group, about, scope) ?? second(group, about, scope)
}

function anyStep(group: Group, about: Identity): Step | undefined {
  const { random } = group
  const token = liveToken(about)
  // What it holds is loaded anew while its token is revoked, or its address is: the one is known, the other is waited for.
  if (token && random.chance(0.25)) return renameIdentity(group, about, () => (random.chance(0.7) ? revokeAccessToken(group, about) : trustToken(group, about, token, 'elsewhere')))
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const planner: Planner | undefined = random.weighted(PLANNERS)
    const step = planner?.plan(group, about)
    if (step) return step
  }
  return undefined
}

/** A new token for whoever has none and could. */
async function logIn(group: Group): Promise<void> {
  const { random, tools } = group
  const about = random.pick(group.identities.filter((identity) => identity.state === 'active' && liveSecret(identity) && !liveToken(identity)))
  const secret = about && liveSecret(about)
  if (!secret) return
  about.touchedAt = tools.recorder.now()
  try {
    await obtainToken(group, about, secret)
    const token = liveToken(about)
    if (token && random.chance(0.4)) await renew(group, about, token)
  } catch {
    // Whether that may be is judged where logins are asked for like everything else.
  }
}

async function obtainToken(group: Group, about: Identity, secret: Secret): Promise<void> {
  const { random, tools } = group
  const tokenAuth = random.chance(0.4) ? tokenAuthOf(group, about) : undefined
  if (tokenAuth) return makeToken(group, about, tokenAuth)
  const proof = { $case: 'universalAuth', value: { clientId: about.clientId, clientSecret: secret.text } } as const
  const { accessToken: text, tokenId: id } = await tools.world.exchange(random)(Exchange.login, { proof }, CALL_MILLIS)
  group.addToken(about, { id, text, source: secret })
}
