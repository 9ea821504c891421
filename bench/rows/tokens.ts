import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { connect } from '../connection.js'
import type { Row } from '../row.js'

/** Renewals, each durable when it is answered, of as many lineages as there are workloads. */
export const renew: Row = {
  name: 'renew',
  bars: [],
  open: async ({ addresses, parts, workloads, login }) => {
    const connection = connect(addresses.exchange)
    const tokens = await Promise.all(workloads.map(async (workload) => (await login(workload)).accessToken))
    let asked = 0
    return {
      call: async () => {
        const place = (asked += 1) % tokens.length
        const { accessToken } = await connection.unary(Exchange.renewAccessToken, { accessToken: tokens[place] ?? '' })
        tokens[place] = accessToken
      },
      server: parts.exchange,
      others: { parts: [parts.postgres], because: 'renewals that come together share a commit' },
      close: () => connection.close(),
    }
  },
}

/** Introspections of one token by an operator, whom authorization-check is asked about each time. */
export const introspect: Row = {
  name: 'introspect',
  bars: [{
    says: '≤ peer.oidc-provider.introspect',
    isMet: ({ cpuMicros }, others) => {
      const peer = others.get('peer.oidc-provider.introspect')
      return peer && cpuMicros <= peer.cpuMicros
    },
  }],
  open: async ({ addresses, parts, workloads, login, session }) => {
    const connection = connect(addresses.exchange, { authorization: `Bearer ${session.token}` })
    const { accessToken } = await login(workloads[0])
    return {
      call: async () => {
        const { active } = await connection.unary(Exchange.introspectAccessToken, { accessToken })
        if (!active) throw new Error('a good token is not active')
      },
      server: parts.exchange,
      others: { parts: [parts.check, parts.postgres], because: 'whether the caller may ask is a check' },
      close: () => connection.close(),
    }
  },
}
