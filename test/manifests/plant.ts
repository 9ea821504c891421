import type { TargetName } from './renderings.js'

/** One fault in a good rendering, and the rule that has to find it. */
export type Plant = {
  readonly rule: string
  readonly fault: string
  /** `production` unless it says otherwise. */
  readonly target?: TargetName
  /** `Kind/name`, where a generated name is given without its hash. Without a path the whole object goes. */
  readonly at?: string
  /** Keys with blanks between; `[NAME]` is the item that has the name, `+` is a new last item. */
  readonly path?: string
  /** Without a value what is at the path goes. */
  readonly value?: unknown
  /** One more object, in place of a change. */
  readonly added?: unknown
}

export function planted(documents: readonly unknown[], { at = '', path, value, added }: Plant): unknown[] {
  if (added !== undefined) return [...documents, added]
  const copies = documents.map((document) => structuredClone(document))
  const place = copies.findIndex((document) => idMatches(document, at))
  if (place < 0) throw new Error(`there is no ${at}`)
  if (path === undefined) return copies.filter((_document, index) => index !== place)
  change(copies[place], path.split(' '), value)
  return copies
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const fieldOf = (value: unknown, key: string): unknown => (isObject(value) ? Reflect.get(value, key) : undefined)

function idMatches(document: unknown, at: string): boolean {
  const id = `${String(fieldOf(document, 'kind'))}/${String(fieldOf(fieldOf(document, 'metadata'), 'name'))}`
  return id === at || (id.startsWith(`${at}-`) && /^[a-z0-9]{10}$/.test(id.slice(at.length + 1)))
}

function change(node: unknown, [step = '', ...more]: readonly string[], value: unknown): void {
  const key = keyOf(node, step)
  if (!isObject(node) || key === undefined) throw new Error(`there is no ${step}`)
  if (more.length > 0) return change(fieldOf(node, key), more, value)
  if (value === undefined && Array.isArray(node)) node.splice(Number(key), 1)
  else if (value === undefined) Reflect.deleteProperty(node, key)
  else Reflect.set(node, key, value)
}

function keyOf(node: unknown, step: string): string | undefined {
  if (!Array.isArray(node)) return step
  if (step === '+') return String(node.length)
  const [, name] = /^\[(.+)\]$/.exec(step) ?? []
  const index = name === undefined ? Number(step) : node.findIndex((item) => fieldOf(item, 'name') === name)
  return index in node || name === undefined ? String(index) : undefined
}
