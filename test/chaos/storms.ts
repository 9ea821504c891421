import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault, FaultKind } from './faults.js'
import type { Probe } from './probe.js'
import type { Random } from './random.js'
import type { Recorder } from './recorder.js'
import type { World } from './world.js'

type Outside = { readonly world: World; readonly recorder: Recorder; readonly random: Random; readonly kinds: readonly FaultKind[]; readonly probe: Probe }

/** Faults together, then a calm in which everything has to be answered correctly again, until it is over. */
export async function storm(outside: Outside, over: AbortSignal): Promise<void> {
  const { recorder, random, probe } = outside
  while (!over.aborted) {
    const faults = chosen(outside)
    await Promise.all(faults.map(({ kind, fault }) => broken(outside, { kind, fault, delay: random.between(0, 300) }, over)))
    const since = recorder.now()
    const { millis, last } = await probe.untilCorrect(since)
    recorder.note({ type: 'recovered', faults: faults.map(({ fault }) => `${fault.kind} of ${fault.target}`), millis, last })
    await rest(random.between(50, 200), over)
  }
}

type Chosen = { readonly kind: FaultKind; readonly fault: Fault }

function chosen({ world, random, kinds }: Outside): Chosen[] {
  const count = random.oneOf([1, 1, 2, 2, 2, 3])
  const all: Chosen[] = []
  while (all.length < count) {
    const kind = random.weighted(kinds)
    const fault = kind?.make(world, random)
    if (!kind || !fault) continue
    if (kind.isAlone === true) return all.length === 0 ? [{ kind, fault }] : all
    const taken = new Set(all.flatMap((one) => one.fault.resources))
    if (fault.resources.some((resource) => taken.has(resource))) return all
    all.push({ kind, fault })
  }
  return all
}

async function broken({ recorder, random }: Outside, { kind, fault, delay }: Chosen & { readonly delay: number }, over: AbortSignal): Promise<void> {
  const millis = random.between(...kind.millis)
  await rest(delay, over)
  const id = recorder.nextId()
  recorder.note({ type: 'fault', fault: id, kind: fault.kind, target: fault.target })
  await fault.begin()
  await rest(millis, over)
  await fault.end()
  recorder.note({ type: 'mended', fault: id })
}

/** Cut short when it is over. */
async function rest(millis: number, over: AbortSignal): Promise<void> {
  await sleep(millis, undefined, { signal: over }).catch(() => undefined)
}
