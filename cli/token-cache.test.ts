import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { tokenCache } from './token-cache.js'

const key = { exchange: '127.0.0.1:50052', holder: 'a' }
const other = { ...key, holder: 'b' }
const token = (lifeMillis: number) => ({ accessToken: 'x.y.z', tokenId: 'id', expireMillis: Date.now() + lifeMillis })
const newPath = () => {
  const folder = mkdtempSync(join(tmpdir(), 'token-cache-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'made', 'tokens.json')
}

// Nobody but the operator may read a cached token: seen to fail with the default modes of file and of folder.
it('is readable by its owner only, in a folder of its own', () => {
  const path = newPath()
  tokenCache(path).keep(key, token(60_000))
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
  chmodSync(path, 0o644)
  tokenCache(path).keep(other, token(60_000))
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(dirname(path))).toEqual(['tokens.json'])
})

it('keeps tokens apart by client id and by exchange', () => {
  const cache = tokenCache(newPath())
  cache.keep(key, token(60_000))
  expect(cache.find(key)?.tokenId).toBe('id')
  expect(cache.find(other)).toBeUndefined()
  expect(cache.find({ ...key, exchange: 'elsewhere:50052' })).toBeUndefined()
  cache.drop(key)
  expect(cache.find(key)).toBeUndefined()
})

it('does not hand out a token that is about to end, and forgets it at the next write', () => {
  const path = newPath()
  const cache = tokenCache(path)
  cache.keep(key, token(1_000))
  expect(cache.find(key)).toBeUndefined()
  cache.keep(other, token(60_000))
  expect(readFileSync(path, 'utf8')).not.toContain('127.0.0.1:50052 a')
})

it.each(['', '{', '[]', '{"tokens":{"127.0.0.1:50052 a":{"accessToken":7}}}'])('takes a file with %j for an empty one', (text) => {
  const path = newPath()
  const cache = tokenCache(path)
  cache.keep(key, token(60_000))
  writeFileSync(path, text)
  expect(cache.find(key)).toBeUndefined()
  cache.keep(key, token(60_000))
  expect(cache.find(key)?.tokenId).toBe('id')
})
