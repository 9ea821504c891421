import { fileURLToPath } from 'node:url'
import { Closing } from '#libs/lifecycle.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { allow, bindTo, makeWorkload } from '../../test/support/builders.js'
import { startEnvoy } from '../../test/support/envoy-process.js'
import { unpackedEnvoy } from '../../test/support/envoy-program.js'
import { nodeProcess } from '../../test/support/processes.js'
import { scratchDirectory } from '../../test/support/scratch-directory.js'
import { stablePort } from '../../test/support/stable-port.js'
import { sendUntilDecided, type WebClient, webClient } from '../../test/support/web-client.js'
import type { Part } from '../cpu.js'
import type { Subject } from '../row.js'
import type { BenchSystem } from '../system.js'

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/countersign-envoy', import.meta.url))

const program = () => unpackedEnvoy(CACHE, (line) => void process.stderr.write(`${line}\n`))

/** Why there is nothing to measure here. */
export const noEnvoy = (): Promise<string | undefined> =>
  program().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )

type Asked = { readonly target: string; readonly isChecked: boolean }

/** Requests by way of deploy/envoy/envoy.yaml. */
export async function behindEnvoy(system: BenchSystem, { target, isChecked }: Asked): Promise<Subject> {
  const { setup, leave } = joined(system)
  const { client, headers, envoy, check, application } = await setup
  return {
    call: async () => {
      const { status } = await client.send(target, { headers })
      if (status !== 200) throw new Error(`a request was answered with ${status} that is allowed`)
    },
    server: envoy,
    others: { parts: isChecked ? [check, application] : [application], because: isChecked ? 'Envoy asks about every request' : 'the route is not checked' },
    close: leave,
  }
}

type Setup = { readonly client: WebClient; readonly headers: Readonly<Record<string, string>> } & Readonly<Record<'envoy' | 'check' | 'application', Part>>

/** What the rows share: one Envoy, with an authorization-check of its own beside it on a Unix socket. The last one to leave closes it. */
const shared = new WeakMap<BenchSystem, { readonly setup: Promise<Setup>; readonly closing: Closing; users: number }>()

function joined(system: BenchSystem): { readonly setup: Promise<Setup>; readonly leave: () => Promise<void> } {
  const closing = new Closing()
  const ours = shared.get(system) ?? { setup: setUp(system, closing), closing, users: 0 }
  ours.users += 1
  shared.set(system, ours)
  return {
    setup: ours.setup,
    leave: async () => {
      ours.users -= 1
      if (ours.users > 0) return
      shared.delete(system)
      await ours.closing.close()
    },
  }
}

async function setUp(system: BenchSystem, closing: Closing): Promise<Setup> {
  try {
    const scratch = await scratchDirectory()
    closing.add(() => scratch.remove())
    const socket = `${scratch.path}/check.sock`
    const check = await system.startCheck({ CHECK_SOCKET: socket })
    closing.add(() => check.close())
    const port = await stablePort()
    const application = nodeProcess({ name: 'application', args: ['bench/plain-server.mjs', String(port)], isReady: () => answers(`127.0.0.1:${port}`) })
    closing.add(() => application.stop())
    await application.restart()
    const instead = {
      '/run/countersign/check.sock': socket,
      '127.0.0.1:3000': `127.0.0.1:${port}`,
      '127.0.0.1:3001': `127.0.0.1:${port}`,
      '01900000-0000-7000-8000-00000000c0de': system.projectId,
    }
    const envoy = await startEnvoy({ program: await program(), config: 'envoy', instead })
    closing.add(() => envoy.stop())
    const client = webClient(envoy.address, { connections: system.workloads.length })
    closing.add(() => client.close())
    const headers = { authorization: `Bearer ${await tokenOfReader(system)}` }
    // Its first answer needs both owners.
    await sendUntilDecided(client, '/orders/1', { headers })
    return { client, headers, envoy: partOf('Envoy', envoy.pid), check: check.part, application: partOf('application', application.pid) }
  } catch (error) {
    await closing.close()
    throw error
  }
}

const partOf = (name: string, pid: number): Part => ({ name, pids: () => Promise.resolve([pid]) })

const NAME = 'reader-of-orders'

/** Of a workload that may do what the file asks about. */
async function tokenOfReader(system: BenchSystem): Promise<string> {
  const { session, projectId, login } = system
  const workload = await makeWorkload(session, { name: NAME })
  await session.registry(Registry.createRole, { projectId, name: NAME, description: '', rules: [allow(['get'], ['orders'])] })
  await bindTo(session, workload.identityId, projectId, NAME)
  return (await login(workload)).accessToken
}

const answers = (address: string): Promise<boolean> => fetch(`http://${address}/`).then(({ ok }) => ok, () => false)
