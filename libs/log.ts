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
  return pino(settings, options.destination ?? standardOutput())
}

/** The lines of one turn of the event loop go out by one write, at its end, or when the process does: a write for each costs more than the rest of logging. */
function standardOutput(): DestinationStream {
  const out = pino.destination({ dest: 1, sync: true })
  let lines = ''
  const flush = () => {
    const due = lines
    lines = ''
    if (due !== '') out.write(due)
  }
  process.on('exit', flush)
  return {
    write: (line) => {
      if (lines === '') setImmediate(flush)
      lines += line
    },
  }
}
