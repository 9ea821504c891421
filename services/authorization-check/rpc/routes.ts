import { LRUCache } from 'lru-cache'
import { type CompiledRoute, compileRoute } from '../domain/route.js'

/** What routes say, compiled once. */
export type RouteReader = { read(extensions: Readonly<Record<string, string>>): CompiledRoute }

/** An operator has few routes; whoever may ask can make up many. */
const KEPT_BYTES = 4 * 1024 * 1024
const OVERHEAD_BYTES = 2_000

export function compiledRoutes(): RouteReader {
  const kept = new LRUCache<string, CompiledRoute>({ maxSize: KEPT_BYTES, sizeCalculation: (_route, name) => OVERHEAD_BYTES + 4 * name.length })
  return {
    read: (extensions) => {
      // Envoy writes a map in whatever order.
      const entries = Object.entries(extensions).sort(([one], [other]) => (one < other ? -1 : 1))
      const name = JSON.stringify(entries)
      const route = kept.get(name) ?? compileRoute(new Map(entries))
      kept.set(name, route)
      return route
    },
  }
}
