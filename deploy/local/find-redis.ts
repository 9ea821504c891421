import { join } from 'node:path'
import { z } from 'zod'
import { readConfig } from '#libs/env.js'
import { redisUrl } from '#libs/redis/redis-url.js'
import { runs, unpackedPackage } from './unpacked-package.js'

export type Search = {
  /** Of the process: REDIS_URL and PATH are looked at. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Where a Redis of our own is unpacked when the machine has none, and found again later. */
  readonly unpackTo: string
  readonly say: (line: string) => void
}

/** A server that runs already, or the program of one to start. */
export type FoundRedis = { readonly url: string } | { readonly program: string }

const given = z.object({ REDIS_URL: redisUrl })

/** REDIS_URL; else a program on the PATH; else one unpacked from Debian's packages; else undefined. */
export async function findRedis(search: Search): Promise<FoundRedis | undefined> {
  const { REDIS_URL: url } = readConfig(given, search.environment)
  if (url !== undefined) return { url }
  const program = await findRedisProgram(search)
  return program === undefined ? undefined : { program }
}

const REDIS = { name: 'Redis', size: 'about 11 MB', packageName: 'redis-server', path: 'usr/bin/redis-server' }

export async function findRedisProgram({ environment, unpackTo, say }: Search): Promise<string | undefined> {
  const path = (environment['PATH'] ?? '').split(':').filter((entry) => entry.startsWith('/'))
  const installed = (await onPath(path, 'redis-server')) ?? (await onPath(path, 'valkey-server'))
  if (installed !== undefined) return installed
  try {
    return await unpackedPackage(REDIS, { folder: unpackTo, aptGet: await onPath(path, 'apt-get'), say })
  } catch (error) {
    say(`Redis can't be had from Debian's packages (${error instanceof Error ? error.message : String(error)}).`)
    return undefined
  }
}

/** The first that runs. */
export async function onPath(path: readonly string[], name: string): Promise<string | undefined> {
  for (const directory of path) {
    const program = join(directory, name)
    if (await runs(program)) return program
  }
  return undefined
}
