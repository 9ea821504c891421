import { z } from 'zod'
import { databaseFiles, postgresUrl } from '#libs/env.js'

const roleName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,62}$/, 'must be the name of a role')

/** The environment of this program; docs/configuration.md says what each is for. */
export const configSchema = z.object({
  MIGRATE_DATABASE_URL: postgresUrl,
  ...databaseFiles,
  REGISTRY_DATABASE_ROLE: roleName,
  EXCHANGE_DATABASE_ROLE: roleName,
})
