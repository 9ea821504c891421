import { type DestinationStream, type Logger, pino } from 'pino'
import { systemClock } from './clock.js'

export type Log = Logger

// A second belt: code never logs a credential, and a field of one of these names never shows its value.
const REDACTED = ['authorization', 'accessToken', 'clientSecret', 'wrappingToken', 'secret', 'token', 'password', 'credential']

// What PostgreSQL adds to an error: the row that it refused, or the parameters of the statement, digests and hashes included.
const TOLD_BY_POSTGRES = ['err.detail', 'err.where']

export function createLog(options: { service: string; level: string; destination?: DestinationStream }): Log {
  const settings = {
    level: options.level,
    base: { 'service.name': options.service },
    timestamp: () => `,"time":"${systemClock.now().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: [...REDACTED.flatMap((name) => [name, `*.${name}`]), ...TOLD_BY_POSTGRES], censor: '[secret]' },
  }
  return options.destination ? pino(settings, options.destination) : pino(settings)
}
