import { ConfigError } from '../env.js'
import type { Log } from '../log.js'
import { isAnyGiven, openStoreTls, problemsOf, type StoreTls } from '../store-tls.js'

// Whether PostgreSQL is spoken to by TLS is ours to say, and there are two answers: in plain text, or verified. What pg makes
// of the parameters of a URL differs from libpq, changes with pg's next version, and includes ways to verify nothing.

/** False where it is spoken to in plain text. */
export type DatabaseTls = StoreTls | false

export type DatabaseTlsConfig = {
  readonly DATABASE_CA_FILE?: string | undefined
  readonly DATABASE_CERTIFICATE_FILE?: string | undefined
  readonly DATABASE_KEY_FILE?: string | undefined
}

const VERIFIED = ['require', 'verify-ca', 'verify-full']

/** `variable` is the one that the URL came from. Refuses a URL that asks for less than to be sure who answers. */
export function databaseTls(url: string, config: DatabaseTlsConfig, { variable = 'DATABASE_URL', log }: { variable?: string; log: Log }): DatabaseTls {
  const files = { caFile: config.DATABASE_CA_FILE, certificateFile: config.DATABASE_CERTIFICATE_FILE, keyFile: config.DATABASE_KEY_FILE }
  const { mode, others } = tlsParametersOf(url)
  const problems = problemsOf('DATABASE', files)
  if (others.length > 0) problems.push(`${variable}: leave out ${others.join(', ')}: files are named by DATABASE_CA_FILE, DATABASE_CERTIFICATE_FILE and DATABASE_KEY_FILE`)
  if (mode === 'disable' && isAnyGiven(files)) problems.push(`${variable}: says sslmode=disable, and DATABASE_CA_FILE or a certificate says that there is TLS: remove one of the two`)
  if (mode !== undefined && mode !== 'disable' && !VERIFIED.includes(mode)) problems.push(`${variable}: sslmode must be verify-full or disable, and not one that may verify nothing`)
  if (problems.length > 0) throw new ConfigError(problems)
  const isVerified = isAnyGiven(files) || (mode !== undefined && mode !== 'disable')
  return isVerified && openStoreTls('DATABASE', files, log)
}

/** The URL without what has been judged, so that pg does not judge again. */
export function withoutTlsParameters(url: string): string {
  const { rest, parameters } = split(url)
  const kept = [...parameters].filter(([name]) => !isOfTls(name))
  return kept.length === 0 ? rest : `${rest}?${new URLSearchParams(kept).toString()}`
}

function tlsParametersOf(url: string): { mode: string | undefined; others: string[] } {
  const found = [...split(url).parameters].filter(([name]) => isOfTls(name))
  const modes = found.filter(([name]) => name === 'sslmode').map(([, value]) => value)
  // The last of several is the one that pg would take; here they have to agree.
  return { mode: new Set(modes).size > 1 ? modes.join() : modes[0], others: found.map(([name]) => name).filter((name) => name !== 'sslmode') }
}

const isOfTls = (name: string): boolean => name.startsWith('ssl') || name === 'uselibpqcompat'

// As text: a URL of PostgreSQL's may be none of the web's, as one without a host.
function split(url: string): { rest: string; parameters: URLSearchParams } {
  const at = url.indexOf('?')
  return at === -1 ? { rest: url, parameters: new URLSearchParams() } : { rest: url.slice(0, at), parameters: new URLSearchParams(url.slice(at + 1)) }
}
