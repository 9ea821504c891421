type Node = { readonly path: string; readonly value: object; readonly read: Set<string> }

export type Watched = {
  /** The same value to whoever reads it. */
  readonly value: unknown
  /** The paths that are there and that nobody has read. */
  unread(): string[]
  nulls(): string[]
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** Notes which fields of a document are read. */
export function watchReads(document: unknown): Watched {
  const nodes: Node[] = []
  const watch = (value: unknown, path: string): unknown => {
    if (!isObject(value)) return value
    const read = new Set<string>()
    const inside = new Map<string, unknown>()
    nodes.push({ path, value, read })
    return new Proxy(value, {
      get(target, key): unknown {
        const found: unknown = Reflect.get(target, key)
        if (typeof key !== 'string') return found
        read.add(key)
        if (!Object.hasOwn(target, key) || !isObject(found)) return found
        if (!inside.has(key)) inside.set(key, watch(found, join(path, key)))
        return inside.get(key)
      },
    })
  }
  const value = watch(document, '')
  const pathsWhere = (holds: (node: Node, key: string, content: unknown) => boolean) =>
    nodes.flatMap((node) => Object.entries(node.value).flatMap(([key, content]) => (holds(node, key, content) ? [join(node.path, key)] : [])))
  return {
    value,
    unread: () => pathsWhere(({ read }, key) => !read.has(key)),
    nulls: () => pathsWhere((_node, _key, content) => content === null),
  }
}

const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)
