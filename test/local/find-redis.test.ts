import { access, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startRedis } from '../../deploy/local/embedded-redis.js'
import { findRedis } from '../../deploy/local/find-redis.js'
import { redisForTests } from '../support/redis.js'
import { type ScratchDirectory, scratchDirectory } from '../support/scratch-directory.js'

let scratch: ScratchDirectory
let program: string

beforeAll(async () => {
  scratch = await scratchDirectory()
  program = await redisForTests()
})
afterAll(() => scratch.remove())

/** A directory for a PATH, with these programs in it: shell scripts, or links to other programs. */
async function directory(name: string, programs: Readonly<Record<string, string>>): Promise<string> {
  const path = join(scratch.path, name)
  await mkdir(path)
  for (const [file, content] of Object.entries(programs)) {
    if (content.startsWith('/')) await symlink(content, join(path, file))
    else await writeFile(join(path, file), `#!/bin/sh\n${content}\n`, { mode: 0o755 })
  }
  return path
}

async function search(environment: Record<string, string>, unpackTo = 'never') {
  const said: string[] = []
  const found = await findRedis({ environment, unpackTo: join(scratch.path, unpackTo), say: (line) => said.push(line) })
  return { found, said }
}

describe('finds', () => {
  it('REDIS_URL before all else', async () => {
    expect(await search({ REDIS_URL: 'redis://elsewhere:6379', PATH: dirname(program) })).toEqual({ found: { url: 'redis://elsewhere:6379' }, said: [] })
    const file = join(scratch.path, 'url')
    await writeFile(file, 'rediss://user:password@elsewhere\n')
    expect(await search({ REDIS_URL_FILE: file })).toEqual({ found: { url: 'rediss://user:password@elsewhere' }, said: [] })
    await expect(search({ REDIS_URL: 'elsewhere:6379' })).rejects.toThrow('REDIS_URL: must be redis://')
  })

  it.each(['redis-server', 'valkey-server'])('%s on the PATH, and passes over one that does not run', async (name) => {
    const broken = await directory(`broken-${name}`, { [name]: 'exit 127' })
    const good = await directory(`good-${name}`, { [name]: program })
    expect(await search({ PATH: `relative:${broken}:${good}` })).toEqual({ found: { program: join(good, name) }, said: [] })
  })

  it('nothing where there is no apt-get either', async () => {
    expect(await search({ PATH: await directory('empty', {}) })).toEqual({ found: undefined, said: [] })
    expect(await search({})).toEqual({ found: undefined, said: [] })
  })

  it('nothing, and says why in one line, where nothing can be downloaded', async () => {
    const path = await directory('offline', { 'apt-get': '[ "$1" = --version ] || { echo "E: Could not resolve host" >&2; exit 100; }' })
    const { found, said } = await search({ PATH: path }, 'offline-redis')
    expect(found).toBeUndefined()
    expect(said.at(-1)).toBe("Redis can't be had from Debian's packages (apt-get failed: E: Could not resolve host).")
    expect((await readdir(scratch.path)).filter((name) => name.startsWith('offline-redis'))).toEqual([])
  })
})

describe("from Debian's packages", () => {
  it('unpacks one, once, and again what is not whole, and leaves nothing else', async ({ skip }) => {
    const aptGet = '/usr/bin/apt-get'
    const isThere = await access(aptGet).then(() => true, () => false)
    skip(!isThere, 'there is no apt-get on this machine')
    const PATH = await directory('apt', { 'apt-get': aptGet })
    const folder = join(scratch.path, 'unpacked')
    await mkdir(join(folder, 'usr/bin'), { recursive: true })
    await mkdir(`${folder}.unpacking-999999999-killed`)
    const found = { program: join(folder, 'bin/redis-server') }
    const first = await search({ PATH }, 'unpacked')
    expect(first).toEqual({ found, said: [expect.stringMatching(/Getting one from Debian's packages, about \d+ MB, into .*unpacked/)] })
    expect(await search({ PATH }, 'unpacked')).toEqual({ found, said: [] })
    expect(await search({ PATH: '' }, 'unpacked')).toEqual({ found, said: [] })

    await rm(join(folder, 'usr/bin'), { recursive: true })
    expect(await search({ PATH }, 'unpacked')).toEqual({ found, said: first.said })
    expect((await readdir(scratch.path)).filter((name) => name.startsWith('unpacked'))).toEqual(['unpacked'])
    const server = await startRedis({ ...found, dataDir: join(scratch.path, 'data'), log: () => undefined })
    await server.stop()
  }, 120_000)
})
