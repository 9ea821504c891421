import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type LocalSystem, startLocal } from '../support/local-system.js'
import { isRunning, processesIn, until } from '../support/running-processes.js'
import { scratchDirectory } from '../support/scratch-directory.js'

// What `npm start` does about Redis; start.test.ts is about the rest.

const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

async function start(environment: Record<string, string> = {}): Promise<{ folder: string; system: LocalSystem }> {
  const scratch = await scratchDirectory()
  undo.push(() => scratch.remove())
  const folder = join(scratch.path, 'data')
  const system = startLocal(folder, environment)
  undo.push(() => system.stop('SIGKILL'))
  return { folder, system }
}

const pidIn = (folder: string) => Number(readFileSync(join(folder, 'redis/run/redis.pid'), 'utf8'))
const redisIn = async (folder: string) => processesIn(join(folder, 'redis'))

describe('npm start', () => {
  it('starts a Redis, writes down what it says, and leaves nothing of it running', async () => {
    const { folder, system } = await start()
    await system.ready()
    expect(await isRunning(pidIn(folder))).toBe(true)
    expect(readFileSync(join(folder, 'log/redis.log'), 'utf8')).toContain('Ready to accept connections')
    expect(await redisIn(folder)).toHaveLength(1)
    const { code, stderr } = await system.stop('SIGINT')
    expect(code).toBe(0)
    expect(stderr).not.toContain('Redis ended by itself')
    expect(await redisIn(folder)).toEqual([])
  })

  it('does not leave it behind when it is killed', async () => {
    const { folder, system } = await start()
    await system.ready()
    await system.stop('SIGKILL')
    await until(async () => (await redisIn(folder)).length === 0)
  })

  it('goes on without it when it ends by itself, and says so once', async () => {
    const { folder, system } = await start()
    await system.ready()
    process.kill(pidIn(folder), 'SIGKILL')
    await system.says('Redis ended by itself')
    const { code, stderr } = await system.stop()
    expect(code).toBe(0)
    expect(stderr.split('Redis ended by itself')).toHaveLength(2)
  })

  it('goes on without it when it does not start, and warns', async () => {
    const scratch = await scratchDirectory()
    undo.push(() => scratch.remove())
    writeFileSync(join(scratch.path, 'redis-server'), '#!/bin/sh\n[ "$1" = --version ] || { echo no luck; exit 1; }\n', { mode: 0o755 })
    const { system } = await start({ PATH: `${scratch.path}:${process.env['PATH'] ?? ''}` })
    await system.ready()
    const { code, stderr } = await system.stop()
    expect(code).toBe(0)
    expect(stderr).toMatch(/^Redis does not start \(.*redis-server did not start on port \d+: no luck\)\.\nWarning: there is no Redis\./m)
  })

  it('starts none where REDIS_URL names one', async () => {
    const { folder, system } = await start({ REDIS_URL: 'redis://127.0.0.1:1' })
    await system.ready()
    expect(await redisIn(folder)).toEqual([])
  })
})
