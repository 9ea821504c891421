/** JSON that somebody else wrote: nothing is known of it but that each name is there once. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject
export type JsonObject = { readonly [name: string]: Json }

const MAX_DEPTH = 16
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\]]/g

/** The object that the bytes spell in UTF-8; undefined where they spell none, name something twice, or nest too deep. */
export function jsonObjectFrom(bytes: Buffer): JsonObject | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const json: unknown = JSON.parse(text)
    return isObject(json) && isPlain(text) ? json : undefined
  } catch {
    return undefined
  }
}

export const isObject = (json: unknown): json is JsonObject => typeof json === 'object' && json !== null && !Array.isArray(json)

/** What an object holds under a name of its own. */
export const memberOf = (object: JsonObject, name: string): Json | undefined => (Object.hasOwn(object, name) ? object[name] : undefined)

/** Of a text that is JSON: a string before a colon is a name. */
function isPlain(text: string): boolean {
  const opened: Set<string>[] = []
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    if (token === '{' || token === '[') {
      if (opened.push(new Set()) > MAX_DEPTH) return false
    } else if (token === '}' || token === ']') opened.pop()
    else if (isName(text, index + token.length)) {
      const name: unknown = JSON.parse(token)
      const names = opened.at(-1)
      if (typeof name !== 'string' || !names || names.has(name)) return false
      names.add(name)
    }
  }
  return true
}

const NEXT_IS_COLON = /[ \t\r\n]*:/y

function isName(text: string, end: number): boolean {
  NEXT_IS_COLON.lastIndex = end
  return NEXT_IS_COLON.test(text)
}
