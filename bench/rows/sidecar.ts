import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Closing } from '#libs/lifecycle.js'
import { remoteFeed } from '#libs/rpc/change-feed.js'
import { createRpcClient } from '#libs/rpc/client.js'
import { stablePort } from '../../test/support/stable-port.js'
import { cpuSince, cpuTimes, type Part } from '../cpu.js'
import type { Probe } from '../row.js'

const MEGABYTE = 1024 * 1024

const FOLLOWERS = 50

/** As deploy/kubernetes/components/sidecar has it. */
const NODE_OPTIONS = '--max-old-space-size=120 --max-semi-space-size=4'

/** What a sidecar takes of the machine of its application, and what it costs the relay to be followed. */
export const sidecar: Probe = {
  name: 'sidecar',
  bars: [
    { says: 'RSS ≤ 90 MB', isMet: ({ rssMegabytes = Infinity }) => rssMegabytes <= 90 },
    { says: 'starts within 1 s', isMet: ({ startMillis = Infinity }) => startMillis <= 1_000 },
    { says: 'idle ≤ 1 % of a core', isMet: ({ idleCpuMillisPerSecond = Infinity }) => idleCpuMillisPerSecond <= 10 },
  ],
  measure: async (system, { millis, restMillis }) => {
    const closing = new Closing()
    try {
      const folder = await mkdtemp(join(tmpdir(), 'countersign-sidecar-'))
      closing.add(() => rm(folder, { recursive: true }))
      const address = `127.0.0.1:${await stablePort()}`
      const relay = await system.startCheck({ RELAY_PORT: address.split(':')[1] ?? '' })
      closing.add(() => relay.close())
      const begun = performance.now()
      const replica = await system.startCheck({ CHECK_SOCKET: join(folder, 'check.sock'), RELAY_ADDRESS: address, CACHE_MEGABYTES: '8', NODE_OPTIONS }, { redis: false })
      closing.add(() => replica.close())
      const startMillis = performance.now() - begun
      const startedRssMegabytes = (await rssOf(replica.part)) / MEGABYTE
      // It no longer pulls, and V8 has collected what starting left behind.
      await sleep(restMillis)
      const rssMegabytes = (await rssOf(replica.part)) / MEGABYTE
      const idleCpuMillisPerSecond = await cpuMillisPerSecond(replica.part, () => sleep(restMillis / 3))
      const client = createRpcClient({ address, serviceCredential: system.serviceCredential })
      closing.add(() => client.close())
      let pulls = 0
      const end = performance.now() + millis
      const seconds = millis / 1000
      const relayMillis = await cpuMillisPerSecond(relay.part, async () => {
        const follow = async (): Promise<void> => {
          const pull = remoteFeed(client, 'registry')
          let position = { epoch: '', seq: 0 }
          for (; performance.now() < end; pulls += 1) {
            const { epoch, head: seq } = await pull(position, { withinMillis: 5_000, current: false })
            position = { epoch, seq }
          }
        }
        await Promise.all(Array.from({ length: FOLLOWERS }, follow))
      })
      return { startMillis, startedRssMegabytes, rssMegabytes, idleCpuMillisPerSecond, relayCpuMicrosPerPull: (relayMillis * seconds * 1000) / pulls }
    } finally {
      await closing.close()
    }
  },
}

async function cpuMillisPerSecond(part: Part, meanwhile: () => Promise<unknown>): Promise<number> {
  const pids = await part.pids()
  const before = await cpuTimes(pids)
  const start = performance.now()
  await meanwhile()
  return cpuSince(before, await cpuTimes(pids)) / (performance.now() - start)
}

async function rssOf(part: Part): Promise<number> {
  const [pid = 0] = await part.pids()
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN) * 1024
}
