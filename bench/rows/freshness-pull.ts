import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../connection.js'
import { cpuSince, cpuTimes } from '../cpu.js'
import { oneCheck } from '../one-check.js'
import type { Probe } from '../row.js'

/** What following both feeds costs a replica that is asked one question a second, and all owners together. */
export const freshnessPull: Probe = {
  name: 'freshness.pull',
  bars: [],
  measure: async (system, { millis }) => {
    const connection = connect(system.addresses.check)
    const ask = oneCheck(connection, system.question)
    const { check, registry, exchange, postgres } = system.parts
    const pids = async () => [await check.pids(), (await Promise.all([registry.pids(), exchange.pids(), postgres.pids()])).flat()] as const
    try {
      await ask()
      const [replicaPids, ownerPids] = await pids()
      const before = await Promise.all([cpuTimes(replicaPids), cpuTimes(ownerPids)])
      const start = performance.now()
      while (performance.now() - start < millis) {
        await sleep(1_000)
        await ask()
      }
      const seconds = (performance.now() - start) / 1000
      const after = await Promise.all([cpuTimes(replicaPids), cpuTimes(ownerPids)])
      const millisPerSecond = (at: 0 | 1) => cpuSince(before[at], after[at]) / 1000 / seconds
      return { replicaCpuMillisPerSecond: millisPerSecond(0), ownersCpuMillisPerSecond: millisPerSecond(1) }
    } finally {
      connection.close()
    }
  },
}
