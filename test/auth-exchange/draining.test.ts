import { afterAll, beforeAll, expect, it } from 'vitest'
import { HealthService } from '#libs/wire/gen/health/v1/health.js'
import { makeWorkload } from '../support/builders.js'
import { until } from '../support/running-processes.js'
import { startSystem, type System } from '../support/system.js'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js'
import { anotherExchange } from './another-exchange.js'

let system: System
let way: TcpProxy

beforeAll(async () => {
  system = await startSystem()
  way = await startTcpProxy({ target: system.addresses.registryInternal })
})
afterAll(async () => {
  await way.close()
  await system.close()
})

// Seen to fail with pulls that end before the last call is answered: nobody is left to tell it, and it hangs until its own
// deadline or the end of the drain.
it('a login that waits for identity-registry is told in time that it waits in vain, also while the service drains', async () => {
  const workload = await makeWorkload(await system.session(system.admin), { name: 'billing' })
  const replica = await anotherExchange(system, { REGISTRY_INTERNAL_ADDRESS: way.address, DRAIN_SECONDS: '5' })
  await replica.login(workload)
  way.blackhole()
  await until(() => replica.login(workload).then(() => false, () => true))
  const waiting = expect(replica.login(workload)).rejects.toMatchObject({ kind: 'UNAVAILABLE', reason: 'LEASE_LAPSED' })
  // On the same connection: when this is answered, the login has arrived.
  await replica.calls(HealthService.check, { service: '' })
  await Promise.all([waiting, replica.close()])
})
