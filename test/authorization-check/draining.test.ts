import { afterAll, beforeAll, expect, it } from 'vitest'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { HealthService } from '#libs/wire/gen/health/v1/health.js'
import { bearer, callsTo } from '../support/calls.js'
import { checkOnNetwork } from '../support/confined-services.js'
import { until } from '../support/running-processes.js'
import { startSystem, type System } from '../support/system.js'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js'

let system: System
let way: TcpProxy

beforeAll(async () => {
  system = await startSystem()
  way = await startTcpProxy({ target: system.addresses.exchangeInternal })
})
afterAll(async () => {
  await way.close()
  await system.close()
})

// Seen to fail with pulls that end before the last call is answered: nobody is left to tell it, and it hangs until its own
// deadline or the end of the drain.
it('a check that waits for an owner is told in time that it waits in vain, also while the service drains', async () => {
  const admin = await system.session(system.admin)
  const replica = await checkOnNetwork({ ...system, addresses: { ...system.addresses, exchangeInternal: way.address } }, { DRAIN_SECONDS: '5' })
  const calls = callsTo(replica.address, bearer(admin.token))
  const ask = () => calls(Check.check, { accessToken: admin.token, projectId: '', action: 'read', resource: { type: 'identity', attributes: {} }, consistency: undefined, context: {}, sourceAddress: '' }, 9_000)
  await ask()
  way.blackhole()
  await until(() => ask().then(() => false, () => true))
  const waiting = expect(ask()).rejects.toMatchObject({ kind: 'UNAVAILABLE', reason: 'LEASE_LAPSED' })
  // On the same connection: when this is answered, the check has arrived.
  await calls(HealthService.check, { service: '' })
  await Promise.all([waiting, replica.close()])
  calls.close()
})
