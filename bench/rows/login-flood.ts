import { randomBytes } from 'node:crypto'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { secretIdOf, secretText } from '../../services/auth-exchange/domain/client-secret.js'
import type { Credentials } from '../../test/support/system.js'
import { connect, type Connection } from '../connection.js'
import { drive } from '../load.js'
import type { Probe } from '../row.js'
import { percentile } from '../statistics.js'
import type { BenchSystem } from '../system.js'

const HONEST_IN_FLIGHT = 4
const FLOOD_IN_FLIGHT = 32

/** Logins with good secrets while another connection from the same address goes on with wrong ones, against the same without it. */
export const loginFlood: Probe = {
  name: 'login.flood',
  bars: [
    { says: 'every good login succeeds', isMet: ({ succeededPercent = 0 }) => succeededPercent === 100 },
    { says: 'p99 ≤ 2 × quiet', isMet: ({ quietP99Millis = NaN, p99Millis = NaN }) => p99Millis <= 2 * quietP99Millis },
  ],
  measure: async ({ addresses, workloads }: BenchSystem, { millis }) => {
    const [honest, hostile] = [connect(addresses.exchange), connect(addresses.exchange)]
    try {
      const quiet = await logins(honest, workloads, millis)
      let isOver = false
      let failures = 0
      const flood = async (place: number) => {
        for (let time = place; !isOver; time += 1) {
          await hostile.unary(Exchange.login, { proof: proofOf(wrongSecret(workloads[time % workloads.length] ?? workloads[0])) }).then(unexpected, () => (failures += 1))
        }
      }
      const flooding = Array.from({ length: FLOOD_IN_FLIGHT }, (_, place) => flood(place))
      const beside = await logins(honest, workloads, millis).finally(() => (isOver = true))
      await Promise.all(flooding)
      return {
        succeededPercent: beside.succeededPercent,
        quietP99Millis: quiet.p99Millis,
        p99Millis: beside.p99Millis,
        failuresPerSecond: (failures / millis) * 1000,
      }
    } finally {
      honest.close()
      hostile.close()
    }
  },
}

const proofOf = ({ clientId, clientSecret }: Credentials) => ({ $case: 'universalAuth' as const, value: { clientId, clientSecret } })

const wrongSecret = ({ clientId, clientSecret }: Credentials): Credentials => ({ clientId, clientSecret: secretText(secretIdOf(clientSecret) ?? '', randomBytes(32)) })

function unexpected(): never {
  throw new Error('a wrong secret was good for a login')
}

async function logins(connection: Connection, workloads: readonly Credentials[], millis: number) {
  let asked = 0
  let failed = 0
  const one = async () => {
    const workload = workloads[(asked += 1) % workloads.length]
    if (workload) await connection.unary(Exchange.login, { proof: proofOf(workload) }).catch(() => (failed += 1))
  }
  const { calls, latencies } = await drive(one, HONEST_IN_FLIGHT, { millis })
  return { succeededPercent: (1 - failed / calls) * 100, p99Millis: percentile(latencies, 0.99) }
}
