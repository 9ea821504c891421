import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { connect, type Connection } from '../connection.js'
import type { Probe } from '../row.js'
import { percentile } from '../statistics.js'
import type { BenchSystem } from '../system.js'

/** From the acknowledgement of a revocation to the first refusal by another replica, which held the token in memory. */
export const revocation: Probe = {
  name: 'revocation',
  bars: [
    { says: 'p99 ≤ 60 ms', isMet: ({ p99Millis = NaN }) => p99Millis <= 60 },
    { says: 'never above the bound of 250 ms', isMet: ({ maxMillis = NaN }) => maxMillis <= 250 },
  ],
  measure: async (system, { samples }) => {
    const replica = await system.startCheck({})
    const connection = connect(replica.address)
    try {
      const millis: number[] = []
      while (millis.length < samples) millis.push(await revokeAndWait(system, connection))
      return { p50Millis: percentile(millis, 0.5), p99Millis: percentile(millis, 0.99), maxMillis: percentile(millis, 1) }
    } finally {
      connection.close()
      await replica.close()
    }
  },
}

async function revokeAndWait({ workloads, login, session, question }: BenchSystem, connection: Connection): Promise<number> {
  const { accessToken, tokenId } = await login(workloads[0])
  const isAllowed = () =>
    connection.unary(Check.check, { ...question, accessToken }).then(
      ({ allowed }) => allowed,
      () => false,
    )
  for (let times = 0; times < 3; times += 1) {
    if (!(await isAllowed())) throw new Error('a good token was refused')
  }
  await session.exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value: tokenId } })
  const acknowledged = performance.now()
  // The moment at which the last allowed one was asked is known, and the refusal came after: what is between counts whole.
  while (await isAllowed());
  return performance.now() - acknowledged
}
