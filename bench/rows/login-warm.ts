import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { connect } from '../connection.js'
import type { Row } from '../row.js'

/** Logins by Universal Auth, each durable when it is answered, by workloads that have logged in before. */
export const loginWarm: Row = {
  name: 'login.warm',
  bars: [
    { says: '≤ 300 µs now', isMet: ({ cpuMicros }) => cpuMicros <= 300 },
    { says: '≤ 178 µs in the end', isMet: ({ cpuMicros }) => cpuMicros <= 178 },
    {
      says: 'below peer.oidc-provider.token',
      isMet: ({ cpuMicros }, others) => {
        const peer = others.get('peer.oidc-provider.token')
        return peer && cpuMicros < peer.cpuMicros
      },
    },
  ],
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
      others: { parts: [parts.registry, parts.postgres], because: 'logins that come together share a commit' },
      close: () => connection.close(),
    }
  },
}
