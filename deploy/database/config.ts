import { z } from 'zod'
import { databaseFiles, postgresUrl } from '#libs/env.js'

const roleName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,62}$/, 'must be the name of a role')

/** The environment of this program; docs/configuration.md is made of it. */
export const configSchema = z.object({
  MIGRATE_DATABASE_URL: postgresUrl.describe('`postgres://user:password@host:port/database`, of a role that may create schemas in this database'),
  ...databaseFiles,
  REGISTRY_DATABASE_ROLE: roleName.describe('the role as which identity-registry connects: it gets rights on the rows of the schema `registry`'),
  EXCHANGE_DATABASE_ROLE: roleName.describe('the role as which auth-exchange connects: it gets rights on the rows of the schema `exchange`'),
})
