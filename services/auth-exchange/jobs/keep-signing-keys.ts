import { installationEvent } from '#libs/audit-event.js'
import { type Clock, monotonicMillis } from '#libs/clock.js'
import type { ChangeFeed } from '#libs/freshness/append.js'
import { changedInExchange } from '#libs/freshness/entities.js'
import { type Ids, INSTALLATION } from '#libs/ids.js'
import type { Log } from '#libs/log.js'
import { randomHex } from '#libs/random-hex.js'
import { dueSteps, type KeyStep, type RotationSchedule } from '../domain/signing-key.js'
import type { KeyRotation } from '../ports.js'
import type { Keyring } from '../signing/keys.js'
import { insertAuditEvent } from '../store/audit.js'
import type { ExchangeSchema, Tx } from '../store/schema.js'
import { activateKey, deleteKey, insertKey, lockKeys, type NewKey, retireActiveKey, updateSealedKey } from '../store/signing-keys.js'

/** Also how late a replica may publish a key that is prepared, or one that is gone. */
export const KEEP_SIGNING_KEYS_EVERY_MILLIS = 30_000

const WITHIN_MILLIS = 10_000
/** A key that is prepared and due at once takes two. */
const LOOKS = 4

type Settings = { readonly SIGNING_KEY_ROTATION_DAYS: number; readonly SIGNING_KEY_LEAD_MINUTES: number }

export const rotationSchedule = ({ SIGNING_KEY_ROTATION_DAYS: days, SIGNING_KEY_LEAD_MINUTES: minutes }: Settings): RotationSchedule => ({
  lifeMillis: days * 86_400_000,
  leadMillis: minutes * 60_000,
})

type Outside = {
  readonly feed: ChangeFeed<ExchangeSchema>
  readonly keys: Keyring
  readonly schedule: RotationSchedule
  readonly ids: Ids
  readonly clock: Clock
  readonly log: Log
}

type Done = { readonly action: string; readonly kid: string; readonly details?: Readonly<Record<string, unknown>> }

/**
 * Makes the first key, encrypts what is under an earlier KEY_ENCRYPTION_KEY anew, takes the steps of the rotation that are due, and has this
 * replica know the keys. Of several replicas one takes each step: it holds the rows, or a constraint lets one win.
 */
export function keepSigningKeys({ feed, keys, schedule, ids, clock, log }: Outside): KeyRotation {
  // While a change of KEY_ENCRYPTION_KEY is rolled out, other replicas have the two the other way round: each replica says
  // of a key once under which it is to be, and does not undo what the others make of it later.
  const settled = new Set<string>()
  const audited = async (tx: Tx, done: readonly Done[], requestId: string) => {
    for (const { action, kid, details } of done) await insertAuditEvent(tx, installationEvent({ id: ids.next(), action, type: 'signing-key', details: { kid, by: 'auth-exchange', ...details }, requestId }))
  }
  const commit = async (work: (tx: Tx, removed: (kid: string) => void) => Promise<readonly Done[]>): Promise<void> => {
    const requestId = randomHex(16)
    const { result } = await feed.commit(monotonicMillis() + WITHIN_MILLIS, async (tx, changed) => {
      const done = await work(tx, (kid) => changed(INSTALLATION, changedInExchange.RevokeSigningKey(kid)))
      await audited(tx, done, requestId)
      return done
    })
    for (const { action, kid, details } of result) log.info({ kid, ...details }, `signing key: ${action}`)
  }
  const reseal = async () => {
    for (const stored of keys.stored().filter(({ kid }) => !settled.has(kid))) {
      const sealed = keys.resealed(stored)
      const details = { from: stored.keyEncryptionKeyId, to: sealed?.keyEncryptionKeyId }
      if (sealed) await commit(async (tx) => ((await updateSealedKey(tx, sealed, stored.keyEncryptionKeyId)) ? [{ action: 'ReencryptSigningKey', kid: stored.kid, details }] : []))
      settled.add(stored.kid)
    }
  }
  const takeSteps = async (): Promise<boolean> => {
    const due = dueSteps(keys.stored(), clock.now(), schedule)
    if (due.length === 0) return false
    const made = await madeFor(due, keys, clock.now())
    await commit(async (tx, removed) => {
      const now = clock.now()
      const steps = dueSteps(await lockKeys(tx), now, schedule)
      const done: Done[] = []
      for (const step of steps) done.push(...(await take(tx, step, { now, made, removed })))
      return done
    })
    return true
  }
  const keep = async () => {
    await keys.reload()
    await reseal()
    for (let look = 1; look <= LOOKS && (await takeSteps()); look += 1) await keys.reload()
  }
  return { schedule, newKey: (kept) => keys.newKey(kept), keep }
}

type Taking = { readonly now: Date; readonly made: NewKey | undefined; readonly removed: (kid: string) => void }

/** A key takes milliseconds to make: no transaction waits for it. */
async function madeFor(due: readonly KeyStep[], keys: Keyring, createTime: Date): Promise<NewKey | undefined> {
  const step = due.find(({ kind }) => kind === 'prepare' || kind === 'replace')
  return step && 'activateTime' in step ? keys.newKey({ state: step.kind === 'replace' ? 'active' : 'prepared', createTime, activateTime: step.activateTime }) : undefined
}

async function take(tx: Tx, step: KeyStep, { now, made, removed }: Taking): Promise<Done[]> {
  switch (step.kind) {
    case 'prepare':
    case 'replace': {
      if (!made || !(await insertKey(tx, made))) return []
      return [{ action: step.kind === 'prepare' ? 'PrepareSigningKey' : 'ActivateSigningKey', kid: made.kid, details: { activateTime: made.activateTime } }]
    }
    case 'activate': {
      const retired = await retireActiveKey(tx, now)
      await activateKey(tx, step.kid, now)
      return [...(retired === undefined ? [] : [{ action: 'RetireSigningKey', kid: retired }]), { action: 'ActivateSigningKey', kid: step.kid }]
    }
    case 'remove':
      await deleteKey(tx, step.kid)
      removed(step.kid)
      return [{ action: 'RemoveSigningKey', kid: step.kid }]
  }
}
