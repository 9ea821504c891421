import { wrongUsage } from './failure.js'

const LARGEST_PAGE = 200

type Page<Item> = { readonly items: readonly Item[]; readonly nextPageToken: string }

/** Follows a list from page to page, up to `limit`. */
export async function allPages<Item>(
  limit: number | undefined,
  fetchPage: (page: { pageSize: number; pageToken: string }) => Promise<Page<Item>>,
): Promise<Item[]> {
  const wanted = limit ?? Number.POSITIVE_INFINITY
  const found: Item[] = []
  let pageToken = ''
  do {
    const page = await fetchPage({ pageSize: Math.min(LARGEST_PAGE, wanted - found.length), pageToken })
    found.push(...page.items)
    pageToken = page.nextPageToken
  } while (pageToken !== '' && found.length < wanted)
  return found.slice(0, limit)
}

export const LIMIT = ['--limit <number>', 'stop after this many'] as const

export function parseLimit(text: string): number {
  const limit = parseCount(text)
  if (limit === 0) throw wrongUsage('--limit must be at least 1.')
  return limit
}

export function parseCount(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw wrongUsage(`${text} is not a whole number.`)
  return Number(text)
}
