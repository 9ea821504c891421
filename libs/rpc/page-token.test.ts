import { describe, expect, it } from 'vitest'
import { manualClock } from '../../test/support/manual-clock.js'
import { createIds } from '../ids.js'
import { pageFrom, pageOf } from './page-token.js'

const ids = createIds(manualClock(new Date(1_700_000_000_000)))
const all = Array.from({ length: 7 }, () => ({ id: ids.next() }))

function asked(pageSize: number, pageToken = '') {
  const problems: string[] = []
  const page = pageOf({ pageSize, pageToken }, (field) => (problem) => problems.push(`${field} ${problem}`))
  return { page, problems }
}

/** As a store does: what comes after an id, one more than the page holds. */
const found = ({ size, after }: { size: number; after: string | undefined }) =>
  all.filter(({ id }) => after === undefined || id > after).slice(0, size + 1)

function readAll(pageSize: number): { id: string }[][] {
  const pages: { id: string }[][] = []
  let token = ''
  do {
    const { page, problems } = asked(pageSize, token)
    expect(problems).toEqual([])
    const { items, nextPageToken } = pageFrom(page, found(page))
    pages.push(items)
    token = nextPageToken
  } while (token !== '')
  return pages
}

describe('pages', () => {
  it.each([[1, 7], [2, 4], [3, 3], [6, 2], [7, 1], [8, 1], [200, 1]])('of %i show everything once and in order, in %i pages', (size, pages) => {
    const read = readAll(size)
    expect(read.flat()).toEqual(all)
    expect(read).toHaveLength(pages)
  })

  it('are one empty page where there is nothing', () => {
    expect(pageFrom(asked(10).page, [])).toEqual({ items: [], nextPageToken: '' })
  })

  it('go on after what they ended with, though it was deleted and others came', () => {
    const { page } = asked(2)
    const { nextPageToken } = pageFrom(page, found(page))
    expect(asked(2, nextPageToken).page.after).toBe(all[1]?.id)
  })
})

describe('a page size', () => {
  it.each([[0, 50], [1, 1], [200, 200]])('of %i is a page of %i', (pageSize, size) => {
    expect(asked(pageSize)).toEqual({ page: { size, after: undefined }, problems: [] })
  })

  it.each([-1, 201, 2_147_483_647, -2_147_483_648])('of %i is refused', (pageSize) => {
    expect(asked(pageSize).problems).toEqual(['page_size must be from 0 to 200'])
  })
})

describe('a page token', () => {
  const token = Buffer.from(all[0]?.id ?? '').toString('base64url')

  it('is one that a page gave', () => {
    expect(asked(1, token)).toEqual({ page: { size: 1, after: all[0]?.id }, problems: [] })
  })

  it.each([
    ['a word', 'next'],
    ['an id', all[0]?.id ?? ''],
    ['a space', ' '],
    ['one cut off', token.slice(0, -1)],
    ['one with padding', `${token}=`],
    ['one with a line break', `${token}\n`],
    ['one with a space inside', `${token.slice(0, 4)} ${token.slice(4)}`],
    ['one in upper case', token.toUpperCase()],
    ['one of what is no id', Buffer.from("' or 1=1 --").toString('base64url')],
    ['one of an id in upper case', Buffer.from((all[0]?.id ?? '').toUpperCase()).toString('base64url')],
    ['one of much', 'x'.repeat(100_000)],
  ])('that is none is refused: %s', (_what, pageToken) => {
    expect(asked(1, pageToken).problems).toEqual(['page_token must be a next_page_token of a page before'])
  })

  it('and a size that are both wrong are both named', () => {
    expect(asked(-1, 'x').problems).toHaveLength(2)
  })
})
