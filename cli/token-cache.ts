import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { wallMillis } from '#libs/clock.js'
import { replacePrivateFile } from './private-file.js'

// Tokens of earlier commands, so that not every command logs in. A cache: whatever is wrong with it costs a login.

const held = z.object({ accessToken: z.string(), tokenId: z.string(), expireMillis: z.number() })
const contents = z.object({ tokens: z.record(z.string(), held) })

/** `expireMillis` is by the clock of this machine, which may differ from the server's. */
export type HeldToken = z.output<typeof held>

/** Where a token was obtained, and by whom. */
export type TokenKey = { readonly exchange: string; readonly holder: string }

// A token that ends within the deadline of a call would be refused on its way.
const MARGIN_MILLIS = 15_000

export type TokenCache = {
  find(key: TokenKey): HeldToken | undefined
  keep(key: TokenKey, token: HeldToken): void
  drop(key: TokenKey): void
}

export function tokenCache(path: string): TokenCache {
  const change = (edit: (tokens: Map<string, HeldToken>) => void) => {
    const tokens = new Map(Object.entries(read(path)).filter(([, token]) => isUsable(token)))
    edit(tokens)
    replacePrivateFile(path, `${JSON.stringify({ tokens: Object.fromEntries(tokens) }, undefined, 2)}\n`)
  }
  return {
    find: (key) => {
      const token = new Map(Object.entries(read(path))).get(nameOf(key))
      return token && isUsable(token) ? token : undefined
    },
    keep: (key, token) => change((tokens) => tokens.set(nameOf(key), token)),
    drop: (key) => change((tokens) => tokens.delete(nameOf(key))),
  }
}

const isUsable = ({ expireMillis }: HeldToken): boolean => expireMillis - MARGIN_MILLIS > wallMillis()

const nameOf = ({ exchange, holder }: TokenKey): string => `${exchange} ${holder}`

function read(path: string): Readonly<Record<string, HeldToken>> {
  try {
    return contents.parse(JSON.parse(readFileSync(path, 'utf8'))).tokens
  } catch {
    return {}
  }
}
