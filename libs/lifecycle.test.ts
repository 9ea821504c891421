import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Closing, every } from './lifecycle.js'

describe('closing', () => {
  it('undoes in reverse, one step after the other', async () => {
    const closing = new Closing()
    const undone: string[] = []
    for (const step of ['database', 'client', 'server']) {
      closing.add(async () => {
        undone.push(`${step} begins`)
        await Promise.resolve()
        undone.push(`${step} ends`)
      })
    }
    await closing.close()
    expect(undone).toEqual(['server begins', 'server ends', 'client begins', 'client ends', 'database begins', 'database ends'])
  })

  it('undoes every step though some fail, and then says which did', async () => {
    const closing = new Closing()
    const undone: number[] = []
    const [thrown, rejected] = [new Error('thrown'), new Error('rejected')]
    closing.add(() => void undone.push(1))
    closing.add(() => {
      throw thrown
    })
    closing.add(() => void undone.push(2))
    closing.add(() => Promise.reject(rejected))
    closing.add(() => void undone.push(3))
    await expect(closing.close()).rejects.toMatchObject({ errors: [rejected, thrown] })
    expect(undone).toEqual([3, 2, 1])
  })

  it('undoes a step once, however often it is asked to', async () => {
    const closing = new Closing()
    let undone = 0
    closing.add(() => void (undone += 1))
    await Promise.all([closing.close(), closing.close()])
    await closing.close()
    expect(undone).toBe(1)
  })

  it('asked twice, answers twice only when all is undone', async () => {
    const closing = new Closing()
    let undo = (): void => undefined
    closing.add(() => new Promise<void>((resolve) => (undo = resolve)))
    let closed = 0
    const both = [closing.close(), closing.close()].map((one) => one.then(() => (closed += 1)))
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
    expect(closed).toBe(0)
    undo()
    await Promise.all(both)
    expect(closed).toBe(2)
  })

  it('also undoes what was added while it closed, or after', async () => {
    const closing = new Closing()
    const undone: string[] = []
    closing.add(() => closing.add(() => void undone.push('while')))
    await closing.close()
    closing.add(() => void undone.push('after'))
    await closing.close()
    expect(undone).toEqual(['while', 'after'])
  })
})

describe('periodic work', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  /** Work whose every run ends when the test says so. */
  function controlledWork() {
    const runs: { end(): void; fail(): void }[] = []
    const work = () => new Promise<void>((resolve, reject) => runs.push({ end: resolve, fail: () => reject(new Error('no database')) }))
    return { runs, work }
  }

  it('begins after its interval, not at once', async () => {
    const { runs, work } = controlledWork()
    every(100, work, () => undefined)
    await vi.advanceTimersByTimeAsync(99)
    expect(runs).toHaveLength(0)
    await vi.advanceTimersByTimeAsync(1)
    expect(runs).toHaveLength(1)
  })

  it('never overlaps: while a run is under way no other begins, and after it the next does', async () => {
    const { runs, work } = controlledWork()
    every(100, work, () => undefined)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(runs).toHaveLength(1)
    runs[0]?.end()
    await vi.advanceTimersByTimeAsync(100)
    expect(runs).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(runs).toHaveLength(2)
  })

  it('goes on after a run that failed, and reports each failure', async () => {
    const { runs, work } = controlledWork()
    const failures: unknown[] = []
    every(100, work, (failure) => failures.push(failure))
    for (let run = 0; run < 3; run += 1) {
      await vi.advanceTimersByTimeAsync(100)
      runs[run]?.fail()
    }
    await vi.advanceTimersByTimeAsync(0)
    expect(runs).toHaveLength(3)
    expect(failures).toHaveLength(3)
  })

  it('stops when told: not before the run under way has ended, and for good', async () => {
    const { runs, work } = controlledWork()
    const stop = every(100, work, () => undefined)
    await vi.advanceTimersByTimeAsync(100)
    let stopped = false
    const stopping = stop().then(() => {
      stopped = true
    })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(stopped).toBe(false)
    runs[0]?.end()
    await stopping
    await vi.advanceTimersByTimeAsync(1_000)
    expect(runs).toHaveLength(1)
  })

  it('stops though the run under way fails', async () => {
    const { runs, work } = controlledWork()
    const stop = every(100, work, () => undefined)
    await vi.advanceTimersByTimeAsync(100)
    runs[0]?.fail()
    await expect(stop()).resolves.toBeUndefined()
  })
})
