import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { connect } from '../connection.js'
import type { Row } from '../row.js'

/** Logins by Universal Auth, each durable when it is answered, by workloads that have logged in before. */
export const loginWarm: Row = {
  name: 'login.warm',
  bars: [300, 178].map((most) => ({
    says: `≤ ${most} µs ${most === 300 ? 'now' : 'in the end'}`,
    isMet: ({ cpuMicros }) => cpuMicros <= most,
  })),
  open: async ({ addresses, parts, workloads }) => {
    const connection = connect(addresses.exchange)
    const proofs = workloads.map(({ clientId, clientSecret }) => ({ $case: 'universalAuth' as const, value: { clientId, clientSecret } }))
    let asked = 0
    return {
      call: async () => {
        asked += 1
        const { accessToken } = await connection.unary(Exchange.login, { proof: proofs[asked % proofs.length] })
        if (accessToken === '') throw new Error('a login brought no token')
      },
      server: parts.exchange,
      others: { parts: [parts.registry, parts.postgres], because: 'in this version a Login asks identity-registry and commits by itself' },
      close: () => connection.close(),
    }
  },
}
