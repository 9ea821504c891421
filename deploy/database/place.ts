import { createLog } from '#libs/log.js'
import { type DatabaseTls, databaseTls, type DatabaseTlsConfig } from '#libs/postgres/tls.js'

/** The database, as a role that may do what an operator does, and how it is known. */
export type Place = { readonly url: string; readonly tls: DatabaseTls }

/** A program that ends soon has nobody to tell that a file was replaced. */
const log = createLog({ service: 'operator', level: 'silent' })

export const placeOf = (url: string, files: DatabaseTlsConfig, variable = 'MIGRATE_DATABASE_URL'): Place => ({ url, tls: databaseTls(url, files, { variable, log }) })
