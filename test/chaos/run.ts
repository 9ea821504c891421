import { Closing } from '#libs/lifecycle.js'
import type { From } from '../support/processes.js'
import { Asker } from './asker.js'
import { processFaults, wayFaults } from './faults.js'
import { RULES } from './checker.js'
import { Gate } from './gate.js'
import { type Changed, Group, type Tools } from './group.js'
import { turnKeys } from './key-changes.js'
import { redisFaults } from './hostile-redis.js'
import { makeSpenders, readUses, spendLimited } from './limited.js'
import { mutate, prepare } from './mutator.js'
import { Probe, sessionIn } from './probe.js'
import { randomOf } from './random.js'
import { readBack, readKeys } from './read-back.js'
import { Recorder } from './recorder.js'
import { rewindFault } from './rewind.js'
import { lastLine, methodLine, progress, type Reached, reachedBy, story, whatIsMissing } from './report.js'
import { storm } from './storms.js'
import { SigningKeys } from './signing-keys.js'
import { startWorld, type World } from './world.js'

export type RunOptions = {
  readonly seed: string
  readonly millis: number
  readonly groups: number
  readonly askers: number
  readonly from: From
  readonly say: (line: string) => void
  /** Ends it early, in order. */
  readonly signal: AbortSignal
}

export type Result = { readonly line: string; readonly stories: readonly string[]; readonly missing: readonly string[]; readonly reached: Reached }

export const BOUND_MILLIS = 250
const RECOVER_WITHIN_MILLIS = 5_000
const TELL_EVERY_MILLIS = 5_000
/** How long a change may still be under way when all faults are over. */
const SETTLE_WITHIN_MILLIS = 20_000
const RENEW_EVERY_MILLIS = 1_200_000

export async function runChaos(options: RunOptions): Promise<Result> {
  const closing = new Closing()
  try {
    options.say('Starting PostgreSQL, Redis and eight services …')
    return await runIn(await startWorld(options.from, closing), options)
  } finally {
    await closing.close()
  }
}

async function runIn(world: World, options: RunOptions): Promise<Result> {
  const { seed, millis, say, signal } = options
  const recorder = new Recorder({ boundMillis: BOUND_MILLIS, recoverWithinMillis: RECOVER_WITHIN_MILLIS })
  const cast = await assemble(world, recorder, options)
  recorder.countFromNow()
  const startedAt = recorder.now()
  const run = () => ({ recorder, seed, seconds: (recorder.now() - startedAt) / 1_000 })
  const over = new AbortController()
  const isOver = () => over.signal.aborted
  const end = () => over.abort()
  if (signal.aborted) end()
  signal.addEventListener('abort', end, { once: true })
  const timer = setTimeout(end, millis)
  const telling = setInterval(() => say(progress(run())), TELL_EVERY_MILLIS)
  const renewing = setInterval(() => void world.renewTokens().catch(() => undefined), RENEW_EVERY_MILLIS)
  const watching = setInterval(() => {
    if (recorder.checker.violations.length > 0) end()
  }, 100)
  try {
    await cast.perform(over.signal, isOver)
    await readBack(cast.groups, cast.asker)
    await readKeys(cast.tools)
  } finally {
    for (const one of [timer, telling, renewing, watching]) clearInterval(one)
    signal.removeEventListener('abort', end)
  }
  say(methodLine(run()))
  const worstFirst = recorder.checker.violations.toSorted((one, other) => RULES.indexOf(one.rule) - RULES.indexOf(other.rule))
  const stories = worstFirst.slice(0, 5).map((violation) => story(run(), violation))
  return { line: lastLine(run()), stories, missing: stories.length === 0 && !signal.aborted ? whatIsMissing(run()) : [], reached: reachedBy(recorder) }
}

/** Everybody who takes part, and how they do. */
async function assemble(world: World, recorder: Recorder, { seed, groups: count, askers, say }: RunOptions) {
  const random = randomOf(seed)
  let gaveUp = false
  const heeding: ((changed: Changed) => void)[] = []
  const tools: Tools = { world, recorder, keys: new SigningKeys(recorder), boundMillis: BOUND_MILLIS, gaveUp: () => gaveUp, onChanged: (changed) => heeding.forEach((heed) => heed(changed)) }
  const group = (number: number) => new Group(`group-${number}`, world.organizations[number % 2 === 0 ? 1 : 0], random.branch(`group ${number}`), tools)
  const groups: [Group, ...Group[]] = [group(1)]
  while (groups.length < count) groups.push(group(groups.length + 1))
  say('Making projects, roles and identities …')
  await Promise.all(groups.map(prepare))
  const probe = await Probe.create(world, recorder)
  const asker = new Asker(groups, random.branch('asker'))
  heeding.push((changed) => asker.heed(changed))
  const gate = new Gate()
  const kinds = [...processFaults, ...wayFaults, ...redisFaults(asker.newest), rewindFault({ groups, gate, asker })]
  const limited = { world, recorder, random: random.branch('limited'), workload: probe.workload, spenders: await makeSpenders(sessionIn(world)), gate }
  const perform = async (over: AbortSignal, isOver: () => boolean): Promise<void> => {
    const asking = Array.from({ length: askers }, () => asker.run(isOver))
    const changing = groups.map((one) => mutate(one, { gate, isOver }))
    const spending = spendLimited(limited, isOver)
    const turning = turnKeys({ tools, groups, random: random.branch('keys'), gate }, over)
    // Nothing is broken any more when this returns.
    await storm({ world, recorder, random: random.branch('storms'), kinds, probe }, over)
    const patience = setTimeout(() => (gaveUp = true), SETTLE_WITHIN_MILLIS)
    await Promise.all([...asking, ...changing, turning])
    const spent = await spending
    clearTimeout(patience)
    await readUses(world, recorder, spent)
  }
  return { groups, asker, tools, perform }
}
