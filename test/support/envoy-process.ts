import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { z } from 'zod'
import { type Daemon, startDaemon } from './daemon.js'
import { scratchDirectory } from './scratch-directory.js'

/** A file of deploy/envoy, without its ending. */
export type DeployedConfig = 'envoy' | 'over-tcp' | 'mtls' | 'jwt-authn'

export type EnvoyOptions = {
  readonly program: string
  readonly config: DeployedConfig
  /**
   * What this machine has in place of what the file says: `host:port` for `host:port` of others, and whole texts, such as paths
   * and ids. Nothing else is changed; where Envoy itself listens is a free port of loopback.
   */
  readonly instead: Readonly<Record<string, string>>
  readonly environment?: Readonly<Record<string, string>>
}

export type Envoy = {
  readonly pid: number
  /** `127.0.0.1:PORT` of its one listener. */
  readonly address: string
  /** Everything that it has said, the access log included. */
  output(): string
  /** The lines of the access log so far. */
  accessLog(): readonly Readonly<Record<string, unknown>>[]
  /** A counter or gauge by its whole name; 0 where Envoy does not have it. */
  stat(name: string): Promise<number>
  stop(): Promise<void>
}

const DEPLOYED = fileURLToPath(new URL('../../deploy/envoy', import.meta.url))

/** Beside other Envoys; it says when it is ready, and writes its access log at once. */
const OPTIONS = ['--disable-hot-restart', '--concurrency', '2', '--log-level', 'info', '--file-flush-interval-msec', '20']

/** A real Envoy with the deployed file. */
export async function startEnvoy({ program, config, instead, environment = {} }: EnvoyOptions): Promise<Envoy> {
  const scratch = await scratchDirectory()
  try {
    const file = join(scratch.path, 'envoy.json')
    await writeFile(file, JSON.stringify(await configFor(config, instead)))
    const adminFile = join(scratch.path, 'admin')
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
    const command = ['env', ...variables, program, '-c', file, '--admin-address-path', adminFile, ...OPTIONS] as const
    const daemon = await startDaemon({ command, cwd: scratch.path, ready: /starting main dispatch loop/ })
    return await running(daemon, (await readFile(adminFile, 'utf8')).trim(), () => scratch.remove())
  } catch (error) {
    await scratch.remove()
    throw error
  }
}

const listeners = z.object({ listener_statuses: z.tuple([z.object({ local_address: z.object({ socket_address: z.object({ address: z.string(), port_value: z.number() }) }) })]) })

async function running(daemon: Daemon, admin: string, remove: () => Promise<void>): Promise<Envoy> {
  const stop = async () => {
    await daemon.stop()
    await remove()
  }
  try {
    // What is about to go from Envoy has no place in a file to copy.
    const [deprecated] = /^.*\bdeprecated\b.*$/im.exec(daemon.output()) ?? []
    if (deprecated !== undefined) throw new Error(deprecated)
    const ask = async (path: string) => (await fetch(`http://${admin}${path}`)).text()
    const [{ local_address: bound }] = listeners.parse(JSON.parse(await ask('/listeners?format=json'))).listener_statuses
    return {
      pid: daemon.pid,
      address: `${bound.socket_address.address}:${bound.socket_address.port_value}`,
      output: () => daemon.output(),
      accessLog: () => daemon.output().split('\n').filter((line) => line.startsWith('{')).map((line) => z.record(z.string(), z.unknown()).parse(JSON.parse(line))),
      stat: async (name) => {
        const line = (await ask(`/stats?filter=^${encodeURIComponent(name)}$`)).split('\n').find((one) => one.startsWith(`${name}: `))
        return line === undefined ? 0 : Number(line.slice(name.length + 2))
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

const socketAddress = z.strictObject({ address: z.string(), port_value: z.number() })

/** The deployed file with other addresses and texts; throws where one was to be changed that it does not have. */
export async function configFor(config: DeployedConfig, instead: Readonly<Record<string, string>>): Promise<unknown> {
  const deployed: unknown = parse(await readFile(join(DEPLOYED, `${config}.yaml`), 'utf8'))
  const used = new Set<string>()
  const taken = (text: string): string | undefined => {
    if (instead[text] !== undefined) used.add(text)
    return instead[text]
  }
  const changed = (value: unknown, key = ''): unknown => {
    if (key === 'socket_address') {
      const { address, port_value: port } = socketAddress.parse(value)
      const [host = '', newPort = ''] = (taken(`${address}:${port}`) ?? ownAddress(address, port)).split(':')
      return { address: host, port_value: Number(newPort) }
    }
    if (typeof value === 'string') return taken(value) ?? value
    if (Array.isArray(value)) return value.map((one) => changed(one))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, inside]) => [name, changed(inside, name)]))
  }
  const made = changed(deployed)
  const unused = Object.keys(instead).filter((text) => !used.has(text))
  if (unused.length > 0) throw new Error(`${config}.yaml has no ${unused.join(', ')}`)
  return made
}

const ADMIN_PORT = 9901

/** Where Envoy itself listens; everything else has to be said. */
function ownAddress(address: string, port: number): string {
  if (address !== '0.0.0.0' && port !== ADMIN_PORT) throw new Error(`nothing is said of ${address}:${port}`)
  return '127.0.0.1:0'
}
