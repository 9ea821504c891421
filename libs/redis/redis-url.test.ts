import { describe, expect, it } from 'vitest'
import { placeIn, redisUrl, sentinelsIn } from './redis-url.js'

const nobody = { username: undefined, password: undefined, sentinelUsername: undefined, sentinelPassword: undefined }

describe('a URL with Sentinels', () => {
  it.each([
    ['redis+sentinel://a:1,b:2/main', { ...nobody, places: [{ host: 'a', port: 1 }, { host: 'b', port: 2 }], name: 'main' }],
    ['rediss+sentinel://redis.example.com/my.main-1', { ...nobody, places: [{ host: 'redis.example.com', port: 26_379 }], name: 'my.main-1' }],
    ['redis+sentinel://:p%40ss@[::1]:5/main', { ...nobody, places: [{ host: '::1', port: 5 }], name: 'main', password: 'p@ss' }],
    ['redis+sentinel://me:secret@a/main?sentinel_username=s&sentinel_password=t%26', { places: [{ host: 'a', port: 26_379 }], name: 'main', username: 'me', password: 'secret', sentinelUsername: 's', sentinelPassword: 't&' }],
  ])('%s is understood', (url, sentinels) => {
    expect(sentinelsIn(url)).toEqual(sentinels)
    expect(redisUrl.safeParse(url).success).toBe(true)
  })

  it.each(['redis+sentinel://a:1,b:2', 'redis+sentinel://a:1,/main', 'redis+sentinel:///main', 'redis+sentinel://a/main?db=1', 'redis+sentinel://a/main/1', 'redis+sentinel://:%ff@a/main', 'redis+sentinel://a:b@c:d@e/main', 'sentinel://a/main', 'redis://a:b'])(
    '%s is refused',
    (url) => expect(redisUrl.safeParse(url).error?.issues[0]?.message).toContain('redis+sentinel://[user:password@]host:port,host:port/NAME'),
  )
})

describe('a URL of one Redis', () => {
  it.each(['redis://localhost', 'rediss://me:secret@host:6380/1'])('%s names no Sentinels', (url) => {
    expect(sentinelsIn(url)).toBeUndefined()
    expect(redisUrl.safeParse(url).success).toBe(true)
  })

  it.each([['redis://localhost', 'localhost', 6379], ['rediss://me:secret@host:6380/1', 'host', 6380], ['redis://[::1]:7', '::1', 7], ['redis://', 'localhost', 6379]])('%s is at %s, %d', (url, host, port) => {
    expect(placeIn(url)).toEqual({ host, port })
  })
})
