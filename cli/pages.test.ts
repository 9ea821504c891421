import { expect, it } from 'vitest'
import { allPages, parseLimit } from './pages.js'

const listOf = (count: number) => {
  const asked: number[] = []
  const fetchPage = async ({ pageSize, pageToken }: { pageSize: number; pageToken: string }) => {
    asked.push(pageSize)
    const start = Number(pageToken)
    const items = Array.from({ length: Math.min(pageSize, count - start) }, (_, index) => start + index)
    const end = start + items.length
    return { items, nextPageToken: end < count ? String(end) : '' }
  }
  return { asked, fetchPage }
}

it('follows every page', async () => {
  const { asked, fetchPage } = listOf(450)
  expect(await allPages(undefined, fetchPage)).toEqual(Array.from({ length: 450 }, (_, index) => index))
  expect(asked).toEqual([200, 200, 200])
})

it('stops at the limit and asks for no more than that', async () => {
  const { asked, fetchPage } = listOf(450)
  expect(await allPages(201, fetchPage)).toHaveLength(201)
  expect(asked).toEqual([200, 1])
})

it('cuts a page that is longer than was asked for', async () => {
  expect(await allPages(2, async () => ({ items: [1, 2, 3, 4, 5], nextPageToken: 'more' }))).toEqual([1, 2])
})

it.each(['0', '-1', '1.5', 'x', ''])('refuses the limit %j', (text) => expect(() => parseLimit(text)).toThrow(/--limit|whole number/))
