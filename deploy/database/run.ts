import { withCauses } from '#libs/causes.js'
import { ConfigError, readConfig } from '#libs/env.js'
import { configSchema } from './config.js'
import { type Found, plan, up, withDatabase } from './migrations.js'
import { placeOf } from './place.js'

export const USAGE = `Usage: countersign migrate plan | up | status

Brings the schemas of both services up to date, as a role that may do it, so that the services need not be allowed to.

  plan     what would be applied; changes nothing
  up       applies it, and gives the services their rights; doing it twice is fine
  status   exit code 1 where something is pending

MIGRATE_DATABASE_URL (or MIGRATE_DATABASE_URL_FILE): postgres://user:password@host:port/database, of a role that may create
schemas there; DATABASE_CA_FILE: the CA by which the server is known, over TLS. REGISTRY_DATABASE_ROLE and
EXCHANGE_DATABASE_ROLE: as whom the services connect.
`

type Streams = { readonly out: (text: string) => void; readonly tell: (text: string) => void }

/** The exit code: 0 done, 1 something is pending or failed, 2 wrong usage. */
export async function runMigrate(words: readonly string[], environment: Readonly<Record<string, string | undefined>>, { out, tell }: Streams): Promise<number> {
  const [command, ...more] = words
  const isHelp = command === '--help' || command === 'help'
  if (isHelp || more.length > 0 || (command !== 'plan' && command !== 'up' && command !== 'status')) {
    if (isHelp) out(USAGE)
    else tell(USAGE)
    return isHelp ? 0 : 2
  }
  try {
    const config = readConfig(configSchema, environment)
    const roles = { registryRole: config.REGISTRY_DATABASE_ROLE, exchangeRole: config.EXCHANGE_DATABASE_ROLE }
    const found = await withDatabase(placeOf(config.MIGRATE_DATABASE_URL, config), (db) => (command === 'up' ? up(db, roles, (line) => tell(`${line}\n`)) : plan(db)))
    for (const one of found) out(`${stateLine(one)}\n`)
    return command === 'status' && found.some(({ pending }) => pending.length > 0) ? 1 : 0
  } catch (error) {
    tell(`${withCauses(error)}\n`)
    return error instanceof ConfigError ? 2 : 1
  }
}

function stateLine({ schema, applied, pending, unknown }: Found): string {
  const later = unknown.length === 0 ? '' : `, and ${unknown.join(', ')} of a later version`
  return `${schema}: ${pending.length === 0 ? `up to date at ${applied.at(-1) ?? 'nothing'}` : `pending ${pending.join(', ')}`}${later}`
}
