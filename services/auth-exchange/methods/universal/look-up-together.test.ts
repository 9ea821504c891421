import { expect, it } from 'vitest'
import { lookUpTogether } from './look-up-together.js'

type Asked = { readonly keys: readonly number[]; answer(find: (key: number) => string | undefined): void; fail(error: unknown): void }

function lookUp(most = 100) {
  const asked: Asked[] = []
  const find = lookUpTogether(most, (keys: readonly number[]) => new Promise<(key: number) => string | undefined>((answer, fail) => void asked.push({ keys, answer, fail })))
  return { asked, find }
}

const turn = () => new Promise(setImmediate)

it('asks one thing at a time, and what came meanwhile together', async () => {
  const { asked, find } = lookUp()
  const found = Promise.all([1, 2, 3].map(find))
  expect(asked.map(({ keys }) => keys)).toEqual([[1]])
  asked[0]?.answer((key) => `found ${key}`)
  await turn()
  expect(asked.map(({ keys }) => keys)).toEqual([[1], [2, 3]])
  asked[1]?.answer((key) => (key === 2 ? 'found 2' : undefined))
  expect(await found).toEqual(['found 1', 'found 2', undefined])
  void find(4)
  expect(asked.at(-1)?.keys).toEqual([4])
})

it('asks for no more at once than it may', async () => {
  const { asked, find } = lookUp(2)
  for (const key of [1, 2, 3, 4]) void find(key)
  for (const place of [0, 1]) {
    asked[place]?.answer(() => 'found')
    await turn()
  }
  expect(asked.map(({ keys }) => keys)).toEqual([[1], [2, 3], [4]])
})

it('fails those whose question failed, and asks on for the others', async () => {
  const { asked, find } = lookUp()
  const [first, second] = [find(1), find(2)]
  asked[0]?.fail(new Error('no database'))
  await expect(first).rejects.toThrow('no database')
  asked[1]?.answer(() => 'found')
  expect(await second).toBe('found')
})
