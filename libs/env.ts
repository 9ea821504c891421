import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { z } from 'zod'
import { type Subnet, subnetOf } from './rules/subnet.js'

/** Everything that is wrong with the environment, one line each. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
    this.name = 'ConfigError'
  }
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads and validates the variables that the schema names. Any variable may be given as NAME_FILE instead, the path of a
 * file that holds the value. Everything wrong is named at once, by variable and never with its value.
 */
export function readConfig<Schema extends z.ZodObject>(schema: Schema, environment: Environment): z.output<Schema> {
  const problems: string[] = []
  const values: Record<string, string> = {}
  for (const name of Object.keys(schema.shape)) {
    const value = environment[name]
    const file = environment[`${name}_FILE`]
    if (value !== undefined && file !== undefined) problems.push(`${name}: set either ${name} or ${name}_FILE`)
    else if (file !== undefined) values[name] = readValue(name, file, problems)
    else if (value !== undefined) values[name] = value
  }
  const parsed = schema.safeParse(values)
  if (parsed.success && problems.length === 0) return parsed.data
  const named = new Set(problems.map((problem) => problem.split(':')[0]))
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0])
    if (!named.has(name)) problems.push(`${name}: ${name in values ? issue.message : `is missing (${name} or ${name}_FILE)`}`)
  }
  throw new ConfigError(problems)
}

function readValue(name: string, file: string, problems: string[]): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch {
    problems.push(`${name}: the file that ${name}_FILE names can't be read`)
    return ''
  }
}

/** A TCP port; 0 takes a free one. */
export const port = (standard: number) =>
  z.string().regex(/^\d{1,5}$/, 'must be a port from 0 to 65535').transform(Number).refine((value) => value <= 65_535, 'must be a port from 0 to 65535').default(standard)

export const optionalPort = port(0).unwrap().optional()

export const whole = (standard: number, min: number, max: number) =>
  z.string().regex(/^\d{1,9}$/, `must be a whole number from ${min} to ${max}`).transform(Number)
    .refine((value) => value >= min && value <= max, `must be a whole number from ${min} to ${max}`).default(standard)

export const host = z.string().min(1).default('127.0.0.1')

export const isLoopback = (name: string): boolean => name === 'localhost' || (isIP(name) !== 0 && (name === '::1' || name.startsWith('127.')))

/** The path of a file in PEM, which is read again when it changes. */
const pemFile = z.string().min(1).optional()

/** The certificate of a service, and the CA by which callers and peers are known; all three, or none. */
export const tlsFiles = {
  TLS_CERTIFICATE_FILE: pemFile.describe(
    'path of a PEM file with the certificate of this service, shown to callers and peers alike. All three of these, or none; they are read again when they change; a pair that does not fit, or a file that is written by half, changes nothing and is logged',
  ),
  TLS_KEY_FILE: pemFile.describe('path of a PEM file with the key of that certificate'),
  TLS_CA_FILE: pemFile.describe('path of a PEM file with the CA by which peers, and callers of the internal listener, are known'),
}

/** By whom the database is known, and what it is shown where it asks. */
export const databaseFiles = {
  DATABASE_CA_FILE: pemFile.describe(
    "path of a PEM file with the CA, or several, by which the database's certificate is known. With it the database is spoken to by TLS and verified, host name included, or not at all. Read again for each new connection (they live ten minutes at most); one that is written by half changes nothing and is logged",
  ),
  DATABASE_CERTIFICATE_FILE: pemFile.describe('path of a PEM file with what a database that asks for a certificate is shown. Both of these or none; read again like the CA'),
  DATABASE_KEY_FILE: pemFile.describe('path of a PEM file with the key of that certificate'),
}

/** The same for Redis. */
export const redisFiles = {
  REDIS_CA_FILE: pemFile.describe(
    'path of a PEM file with the CA, or several, by which Redis and its Sentinels are known; without it the public ones. Needs a `rediss` URL. Read again for each new connection. One that is not believed is a Redis that is down: slower, not wrong',
  ),
  REDIS_CERTIFICATE_FILE: pemFile.describe('path of a PEM file with what Redis is shown, which asks for a certificate unless its `tls-auth-clients` says otherwise. Both of these or none'),
  REDIS_KEY_FILE: pemFile.describe('path of a PEM file with the key of that certificate'),
}

/** `host:port`, or `unix:PATH`. */
export const address = z.string().regex(/^(unix:.+|.+:\d{1,5})$/, 'must be host:port or unix:PATH')

export const postgresUrl = z.string().regex(/^postgres(ql)?:\/\//, 'must be postgres://user:password@host:port/database')

/** How long whoever keeps copies of this owner's answers may use them after asking for its changes. */
export const stalenessBoundMillis = whole(250, 100, 60_000)

/** Who brings the schema of a service up to date: the service when it starts, or somebody for whom it waits. */
export const migrationMode = z.enum(['apply', 'wait'], 'must be apply or wait').default('apply')

/** Who sees to the timeouts of the database's sessions. */
export const databaseTimeouts = z.enum(['session', 'role'], 'must be session or role').default('session')

export const onOff = (standard: 'on' | 'off') => z.enum(['on', 'off'], 'must be on or off').default(standard)

/** Networks as `10.0.0.0/8`, with commas between; none where it is empty. */
export const networks = z.string().transform((text, context): readonly Subnet[] => {
  const texts = text === '' ? [] : text.split(',')
  const found = texts.flatMap((one) => subnetOf(one.trim()) ?? [])
  if (found.length === texts.length) return found
  context.addIssue('must be networks as 10.0.0.0/8 with commas between, none with a bit set behind its prefix')
  return z.NEVER
}).default([])

/** A key of ours, with the name by which what was made with it finds it again. */
export type NamedKey = { readonly id: string; readonly key: Buffer }

/** `ID:KEY`, or two of them: the first is used, both are known. A new one comes second, then first, and the old one goes last. */
export const namedKeys = (use: string) =>
  z.string().transform((text, context): readonly [NamedKey, ...NamedKey[]] => {
    const [current, other, ...more] = text.split(',').map(namedKeyFrom)
    if (current && more.length === 0 && current.id !== other?.id && (other || !text.includes(','))) return other ? [current, other] : [current]
    context.addIssue(`must be ID:KEY, or two of them with a comma between, each KEY 32 bytes in base64; the first ${use}`)
    return z.NEVER
  })

function namedKeyFrom(text: string): NamedKey | undefined {
  const [, id, base64] = /^([a-z0-9-]{1,32}):([A-Za-z0-9+/]{43}=)$/.exec(text) ?? []
  return id !== undefined && base64 !== undefined ? { id, key: Buffer.from(base64, 'base64') } : undefined
}

export const logLevel = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info')

/** What is logged, for whoever logs before the rest of its configuration can be handed on. */
export const logLevelIn = (environment: Environment): z.output<typeof logLevel> => readConfig(z.object({ LOG_LEVEL: logLevel }), environment).LOG_LEVEL
