import { type DestinationStream, type Logger, pino } from 'pino'
import { systemClock } from './clock.js'
import { withoutSecrets } from './without-secrets.js'

export type Log = Logger

export function createLog(options: { service: string; level: string; destination?: DestinationStream }): Log {
  const settings = {
    level: options.level,
    base: { 'service.name': options.service },
    timestamp: () => `,"time":"${systemClock.now().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }), log: withoutSecrets },
    serializers: { err: toldOf },
  }
  return pino(settings, options.destination ?? standardOutput())
}

// What PostgreSQL adds to an error: the row that it refused, or the parameters of the statement, digests and hashes included.
const TOLD_BY_POSTGRES = ['detail', 'where']

const toldOf = (error: unknown): unknown => (error instanceof Error ? withoutSecrets(pino.stdSerializers.err(error), TOLD_BY_POSTGRES) : error)

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
