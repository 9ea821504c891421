import { describe, expect, it } from 'vitest'
import { batchedReads } from './batched-reads.js'
import type { KeyValueStore } from './key-value.js'

/** A store that holds every key but those that begin with `no`, and writes down what it is asked. */
function recordingStore(): { store: KeyValueStore; commands: (readonly string[])[] } {
  const commands: (readonly string[])[] = []
  const store: KeyValueStore = {
    get: async (keys) => {
      commands.push(keys)
      return keys.map((key) => (key.startsWith('no') ? undefined : Buffer.from(key)))
    },
    set: () => Promise.resolve(),
    publish: () => undefined,
    listen: () => undefined,
    isUp: () => true,
    close: () => Promise.resolve(),
  }
  return { store, commands }
}

const texts = (values: readonly (Buffer | undefined)[]) => values.map((value) => value?.toString())

describe('reads of one turn', () => {
  it('are one command, and each is answered with its own', async () => {
    const { store, commands } = recordingStore()
    const batched = batchedReads(store)
    const answers = await Promise.all([batched.get(['a', 'no-b']), batched.get([]), batched.get(['c'])])
    expect(answers.map(texts)).toEqual([['a', undefined], [], ['c']])
    expect(commands).toEqual([['a', 'no-b', 'c']])
  })

  it('of the next turn are the next command', async () => {
    const { store, commands } = recordingStore()
    const batched = batchedReads(store)
    await batched.get(['a'])
    await batched.get(['b'])
    expect(commands).toEqual([['a'], ['b']])
  })

  it('are several commands where there are very many', async () => {
    const { store, commands } = recordingStore()
    const batched = batchedReads(store)
    const keys = Array.from({ length: 500 }, (_one, number) => `key-${number}`)
    const answers = await Promise.all(keys.map((key) => batched.get([key])))
    expect(answers.flatMap(texts)).toEqual(keys)
    expect(commands.map(({ length }) => length)).toEqual([200, 200, 100])
  })
})
