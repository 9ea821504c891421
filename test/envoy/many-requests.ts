import { randomInt } from 'node:crypto'
import { expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { valuesOf } from '../support/applications.js'
import { allow, UNKNOWN_ID } from '../support/builders.js'
import { realKeyOf, unknownTokens } from '../support/forged-tokens.js'
import { type GuardedApplication, workloadThat } from '../support/guarded-application.js'
import { sendUntilDecided, webClient } from '../support/web-client.js'

const REQUESTS = 10_000
const CONNECTIONS = 16

/** Somebody with a token, or none, and what each request of theirs is to be answered with. */
type Visitor = { readonly authorization?: string; readonly identityId?: string; readonly status: number }

async function visitors(world: GuardedApplication): Promise<readonly Visitor[]> {
  const { system, admin } = world
  const bearing = (token: string) => ({ authorization: `Bearer ${token}` })
  const readers = await Promise.all(['one', 'two', 'three'].map((name) => workloadThat(world, `visitor-${name}`, allow(['get'], ['orders']))))
  const [first] = readers
  if (!first) throw new Error('there is no visitor')
  const other = await workloadThat(world, 'visitor-of-payouts', allow(['get'], ['payouts']))
  const revoked = await system.login(first)
  await system.everywhere(admin.exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value: revoked.tokenId } }))
  const wrong = [...unknownTokens(await realKeyOf(system), first.token, UNKNOWN_ID), revoked.accessToken, 'no.token.here']
  const welcome = readers.map(({ token, identityId }) => ({ ...bearing(token), identityId, status: 200 }))
  // Of what is wrong the owners are asked each time: it is the smaller part, or they would be what is tried here.
  return [
    ...Array.from({ length: 6 }, () => welcome).flat(),
    { ...bearing(other.token), status: 403 },
    ...wrong.map((token) => ({ ...bearing(token), status: 401 })),
    { status: 401 },
  ]
}

/** Nobody's answer is ever given to somebody else, and nobody's name. */
export function manyRequests(world: () => GuardedApplication): void {
  it(`answers ${REQUESTS} requests of right and wrong tokens, mixed over ${CONNECTIONS} connections, as each deserves`, async () => {
    const all = await visitors(world())
    const { application, envoy } = world()
    const client = webClient(envoy.address, { connections: CONNECTIONS })
    const whose = new Map<string, Visitor>()
    const wrong: string[] = []
    let asked = 0
    const oneByOne = async () => {
      while (asked < REQUESTS) {
        const [target, visitor] = [`/orders/${(asked += 1)}`, all[randomInt(all.length)] ?? { status: 401 }]
        whose.set(target, visitor)
        const headers = visitor.authorization === undefined ? {} : { authorization: visitor.authorization }
        const { status } = await sendUntilDecided(client, target, { headers })
        if (status !== visitor.status) wrong.push(`${target}: ${status} in place of ${visitor.status}`)
      }
    }
    try {
      await Promise.all(Array.from({ length: CONNECTIONS }, oneByOne))
    } finally {
      client.close()
    }
    expect(wrong).toEqual([])
    const seen = application.seen.splice(0)
    expect(seen.length).toBe([...whose.values()].filter(({ status }) => status === 200).length)
    expect(seen.filter((request) => valuesOf(request, 'x-countersign-identity').join() !== whose.get(request.target)?.identityId)).toEqual([])
  }, 120_000)
}
