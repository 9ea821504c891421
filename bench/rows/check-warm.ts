import { connect } from '../connection.js'
import type { Row } from '../row.js'
import { oneCheck } from '../one-check.js'

/** The same allowed question over and over: whatever can be known from earlier ones is known. */
export const checkWarm: Row = {
  name: 'check.warm',
  bars: [{ says: '≤ 1.25 × echo', isMet: ({ ratioToEcho }) => ratioToEcho <= 1.25 }],
  open: async ({ addresses, parts, question }) => {
    const connection = connect(addresses.check)
    return {
      call: oneCheck(connection, question),
      server: parts.check,
      others: { parts: [parts.exchange, parts.registry, parts.postgres], because: 'the owners are only asked for changes' },
      close: () => connection.close(),
    }
  },
}
