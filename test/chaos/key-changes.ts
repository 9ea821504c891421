import { setTimeout as sleep } from 'node:timers/promises'
import { ExchangeInternalServiceService as Internal, SigningKeyState } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import type { Gate } from './gate.js'
import type { Group, Tools } from './group.js'
import type { Value } from './history.js'
import type { Random } from './random.js'
import type { SigningKey } from './signing-keys.js'
import { type Actor, CALL_MILLIS, type Done, type KeyMethod, seeThrough, type Step } from './step.js'

// Signing keys belong to the installation: one change of them changes what is true in every group, and whoever holds a token of
// a key that is gone has to log in anew.

type Outside = { readonly tools: Tools; readonly groups: readonly Group[]; readonly random: Random; readonly gate: Gate }

type KeyStep = Pick<Step, 'attempt' | 'again'> & { readonly apply?: () => void; readonly values: readonly Value[] }

/** Every method that changes something of signing keys. One that is added to changedInExchange has to be added here too. */
const keyChanges = {
  RotateSigningKey: rotate,
  RevokeSigningKey: revoke,
} satisfies Record<KeyMethod, unknown>

/** Whatever was under way with a token of a key has ended so long after the key has ceased to sign; a probe makes four calls of a second. */
const SETTLED_MILLIS = 4_500

/** Has another key sign every now and then, and revokes those that do no more. */
export async function turnKeys(outside: Outside, over: AbortSignal): Promise<void> {
  const { random, gate } = outside
  const rest = (least: number, most: number) => sleep(random.between(least, most), undefined, { signal: over }).catch(() => undefined)
  const isOver = () => over.aborted
  await rest(200, 1_000)
  while (!isOver()) {
    if (random.chance(0.3)) await gate.through(() => keyChanges.RotateSigningKey(outside, false))
    await gate.through(() => keyChanges.RotateSigningKey(outside, true))
    await renewTokens(outside, over)
    await rest(SETTLED_MILLIS, SETTLED_MILLIS + 2_000)
    const goes = ({ state }: SigningKey) => state === 'retired' && random.chance(0.75)
    for (const key of outside.tools.keys.all.filter(goes)) {
      if (!isOver()) await gate.through(() => keyChanges.RevokeSigningKey(outside, key))
      await rest(200, 1_000)
    }
    await rest(2_000, 10_000)
  }
}

/** Prepares a key, and at once has it sign: then no other one does any more. */
async function rotate(outside: Outside, atOnce: boolean): Promise<void> {
  const { tools, random } = outside
  const attempt = async (): Promise<Done> => {
    const { key, revision } = await tools.world.operator(random)(Internal.rotateSigningKey, { atOnce }, CALL_MILLIS)
    if (!atOnce) return { revision }
    tools.recorder.note({ type: 'found', what: 'the key that is to sign', expected: `state ${SigningKeyState.ACTIVE}`, found: `state ${key?.state}` })
    return { revision, keep: () => signsNow(tools, key?.kid ?? '') }
  }
  await change(outside, 'RotateSigningKey', { values: [], attempt })
}

function signsNow({ keys }: Tools, kid: string): void {
  const signing = keys.named(kid)
  for (const key of keys.all) if (key !== signing && key.state === 'signs') key.state = 'retired'
}

async function revoke(outside: Outside, key: SigningKey): Promise<void> {
  const { tools, random } = outside
  await change(outside, 'RevokeSigningKey', {
    values: [{ track: key.track, value: 'rejected' }],
    apply: () => (key.state = 'revoked'),
    attempt: () => tools.world.operator(random)(Internal.revokeSigningKey, { kid: key.kid }, CALL_MILLIS),
    again: ({ reason }) => Promise.resolve(reason === 'SIGNING_KEY_NOT_FOUND' ? {} : undefined),
  })
}

async function change({ tools, groups, random }: Outside, what: KeyMethod, { apply, values, ...step }: KeyStep): Promise<void> {
  const actor: Actor = { tools, random }
  const made = tools.recorder.nextId()
  apply?.()
  tools.recorder.note({ type: 'change', change: made, what, feed: 'exchange', values })
  const seen = await seeThrough(actor, { what, ...step }, made)
  if (!seen) return
  const tracks = new Set(values.map(({ track }) => track))
  for (const group of groups) group.heard({ change: made, revision: seen.revision, group, tracks, about: undefined, what })
}

/** The admins' tokens may be of the key that goes. What is obtained from now on is of one that stays. */
async function renewTokens({ tools }: Outside, over: AbortSignal): Promise<void> {
  const { world, keys, recorder } = tools
  while (!over.aborted && !(await world.renewTokens().then(() => true, () => false))) await sleep(50)
  if (over.aborted) return
  for (const { token } of world.organizations) recorder.note({ type: 'found', what: 'the key of a token that was obtained after a rotation', expected: 'signs', found: keys.of(token).state })
}
