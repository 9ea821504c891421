import { describe, expect, it } from 'vitest'
import { compiledRoutes } from './routes.js'

describe('a route', () => {
  // Envoy writes a map in an order of its own, and another one for the next request.
  it('is compiled once, in whatever order it is said', () => {
    const routes = compiledRoutes()
    const route = routes.read({ action: 'get', resource: 'orders' })
    expect(route.problem).toBeUndefined()
    expect(routes.read({ resource: 'orders', action: 'get' })).toBe(route)
    const wrong = routes.read({ action: 'get' })
    expect(wrong).toEqual({ problem: 'resource must be set' })
    expect(routes.read({ action: 'get' })).toBe(wrong)
  })

  it('is another one where anything differs, also where keys and values could be taken for each other', () => {
    const routes = compiledRoutes()
    const all = [{ action: 'get', resource: 'orders' }, { action: 'orders', resource: 'get' }, { 'attribute.a': 'b,c', action: 'get', resource: 'orders' }, { 'attribute.a': 'b', 'attribute.c': '', action: 'get', resource: 'orders' }]
    expect(new Set(all.map((extensions) => routes.read(extensions))).size).toBe(all.length)
  })

  // Whoever may ask can make up any number of them. Seen to fail with a map in place of the cache.
  it('is forgotten before too many are kept', () => {
    const routes = compiledRoutes()
    const first = routes.read({ action: 'get', resource: 'orders' })
    for (let made = 0; made < 5_000; made += 1) routes.read({ action: 'get', resource: `made-up-${made}` })
    expect(routes.read({ action: 'get', resource: 'orders' })).not.toBe(first)
  })
})
