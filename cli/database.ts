import { z } from 'zod'
import { databaseFiles, postgresUrl, readConfig } from '#libs/env.js'
import { type Place, placeOf } from '../deploy/database/place.js'
import type { Shell } from './command.js'

const settings = z.object({ MIGRATE_DATABASE_URL: postgresUrl.optional(), DATABASE_URL: postgresUrl.optional(), ...databaseFiles })

type Given = Pick<Shell, 'environment' | 'context'>

/** The database that the environment names, as the role that migrates, or that of `npm start` here. */
export function databaseOfOperator({ environment, context }: Given): Place | undefined {
  const given = readConfig(settings, environment)
  const url = given.MIGRATE_DATABASE_URL ?? context.stores.database
  return url === undefined ? undefined : placeOf(url, given)
}

/** For whoever only looks, the role of a service will do. */
export function databaseToLookAt({ environment, context }: Given): Place | undefined {
  const given = readConfig(settings, environment)
  if (given.MIGRATE_DATABASE_URL === undefined && given.DATABASE_URL !== undefined) return placeOf(given.DATABASE_URL, given, 'DATABASE_URL')
  return databaseOfOperator({ environment, context })
}
