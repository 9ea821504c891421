import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { makeWorkload } from '../support/builders.js'
import { type Session, startSystem, type System } from '../support/system.js'

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

// Use limits are exact under any concurrency. Seen to fail with the condition on uses taken out of recordLogins' statement.
describe('a secret with a use limit', () => {
  it.each([1, 2, 5])('of %i gives exactly so many tokens to 50 logins at once', async (useLimit) => {
    const workload = await makeWorkload(admin, { name: `limit-${useLimit}`, useLimit })
    const logins = await Promise.allSettled(Array.from({ length: 50 }, () => system.login(workload)))
    const tokens = logins.flatMap((login) => (login.status === 'fulfilled' ? [login.value] : []))
    const refusals = logins.flatMap((login) => (login.status === 'rejected' ? [login.reason] : []))

    expect(tokens).toHaveLength(useLimit)
    expect(new Set(tokens.map(({ tokenId }) => tokenId)).size).toBe(useLimit)
    for (const refusal of refusals) expect(refusal).toMatchObject({ reason: expect.stringMatching(/^(?:CREDENTIALS_REJECTED|LOGIN_THROTTLED)$/) })
    for (const { accessToken } of tokens) expect(await system.check(accessToken, 'read', 'secrets')).toMatchObject({ identityId: workload.identityId })
    const { clientSecrets } = await admin.exchange(Exchange.listClientSecrets, { identityId: workload.identityId, pageSize: 0, pageToken: '' })
    expect(clientSecrets).toMatchObject([{ uses: useLimit, useLimit }])
  })
})
