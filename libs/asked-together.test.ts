import { describe, expect, it } from 'vitest'
import { askedTogether } from './asked-together.js'

/** Questions that are answered when the test says so. */
function byHand(isForAll: (answer: string) => boolean = () => true) {
  const asked: { readonly by: string; readonly answer: (text: string) => void; readonly fail: (error: Error) => void }[] = []
  const together = askedTogether(isForAll)
  const ask = (by: string, key = 'same') => together(key, () => new Promise<string>((answer, fail) => asked.push({ by, answer, fail })))
  return { ask, askers: () => asked.map(({ by }) => by), at: (place: number) => asked[place] ?? never() }
}

const never = (): never => {
  throw new Error('was not asked')
}

/** What is asked next is asked by then. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise(setImmediate)
}

describe('the same question', () => {
  // Seen to fail with those that wait given the answer to the question that was under way when they came.
  it('is asked again for all who came while it was asked, and their answer is to that', async () => {
    const { ask, askers, at } = byHand()
    const first = ask('first')
    await settled()
    const others = [ask('second'), ask('third')]
    await settled()
    expect(askers()).toEqual(['first'])
    at(0).answer('old')
    expect(await first).toBe('old')
    await settled()
    expect(askers()).toEqual(['first', 'second'])
    at(1).answer('new')
    expect(await Promise.all(others)).toEqual(['new', 'new'])
  })

  it('is asked for themselves by all who shared an answer that was for one, and by nobody twice', async () => {
    const { ask, askers, at } = byHand((answer) => answer !== 'counted')
    const all = [ask('first'), ask('second'), ask('third')]
    await settled()
    at(0).answer('counted')
    await settled()
    expect(askers()).toEqual(['first', 'second', 'third'])
    at(1).answer('counted')
    at(2).answer('spent')
    expect(await Promise.all(all)).toEqual(['counted', 'counted', 'spent'])
  })

  it('fails for the one who asked it, and is asked again by those who shared it', async () => {
    const { ask, at } = byHand()
    const all = Promise.allSettled([ask('first'), ask('second')])
    await settled()
    at(0).fail(new Error('no time left'))
    await settled()
    at(1).answer('well')
    expect(await all).toMatchObject([{ reason: new Error('no time left') }, { value: 'well' }])
  })
})

describe('other questions', () => {
  it('wait for nobody, and neither does the same one when it was answered', async () => {
    const { ask, askers, at } = byHand()
    const [one] = [ask('first'), ask('second', 'other')]
    await settled()
    expect(askers()).toEqual(['first', 'second'])
    at(0).answer('well')
    await one
    const third = ask('third')
    await settled()
    expect(askers()).toEqual(['first', 'second', 'third'])
    at(2).answer('too')
    expect(await third).toBe('too')
  })
})
