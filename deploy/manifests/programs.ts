import type { IContainer } from 'kubernetes-models/v1/Container'
import type { z } from 'zod'
import { configSchema as migrateSchema } from '../database/config.js'
import { configSchema as exchangeSchema } from '../../services/auth-exchange/config.js'
import { configSchema as checkSchema } from '../../services/authorization-check/config.js'
import { configSchema as registrySchema } from '../../services/identity-registry/config.js'

/** A program of the image, and the variables that it reads. */
export type Program = { readonly name: string; readonly isService: boolean; readonly variables: Readonly<Record<string, z.ZodType>> }

const PROGRAMS: Readonly<Record<string, Program>> = {
  'dist/services/identity-registry/main.js': { name: 'identity-registry', isService: true, variables: registrySchema.shape },
  'dist/services/auth-exchange/main.js': { name: 'auth-exchange', isService: true, variables: exchangeSchema.shape },
  'dist/services/authorization-check/main.js': { name: 'authorization-check', isService: true, variables: checkSchema.shape },
  'dist/deploy/database/main.js': { name: 'migrate', isService: false, variables: migrateSchema.shape },
}

/** The program of ours that a container runs; undefined for anybody else's. */
export function programOf({ command = [], args = [] }: IContainer): Program | undefined {
  const [node, file] = [...command, ...args]
  return node === 'node' && file !== undefined ? PROGRAMS[file] : undefined
}

/** What Node itself reads. */
export const NODE_VARIABLES = ['NODE_OPTIONS', 'UV_THREADPOOL_SIZE']

/** Variables that hold a secret, and so come as a file. */
export const SECRET_VARIABLES = ['DATABASE_URL', 'MIGRATE_DATABASE_URL', 'SERVICE_CREDENTIAL', 'INTERNAL_CALLERS', 'PEPPERS', 'KEY_ENCRYPTION_KEY', 'REDIS_URL', 'REDIS_MAC_KEYS']
