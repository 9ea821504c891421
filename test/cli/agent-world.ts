import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { DomainError } from '#libs/domain-error.js'
import { explain, type ExplainedFailure } from '../../cli/failure.js'
import { commandLine } from '../../cli/program.js'
import { runIn } from '../../cli/run.js'
import { makeWorkload, type Workload } from '../support/builders.js'
import { scratchDirectory } from '../support/scratch-directory.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js'
import { type AgentProcess, endAgents, startAgent } from './agent-process.js'

// Services, a way to auth-exchange that can be cut, and a folder for agents to work in. The clock of the services stands still:
// their tokens do not expire there, and it is what agents do that is seen.

export type AgentWorld = {
  readonly system: System
  readonly admin: Session
  /** Between agents and auth-exchange. */
  readonly way: TcpProxy
  readonly folder: string
  readonly path: (name: string) => string
  readonly read: (name: string) => string
  readonly write: (name: string, text: string) => string
  readonly mode: (name: string) => string
  readonly isThere: (name: string) => boolean
  /** Whose tokens live for that long. */
  readonly workload: (name: string, tokenTtlSeconds: number) => Promise<Workload>
  /** Whether authorization-check takes the token for one. */
  readonly isGood: (accessToken: string) => Promise<boolean>
  /** Runs in the folder; acts with the file `NAME.json` where a workload is given. */
  readonly agent: (args: readonly string[], as?: Workload, more?: { environment?: Record<string, string>; stdin?: string }) => AgentProcess
  /** Why the command, run in this process, does not begin: no test of it may get further. */
  readonly refusal: (args: readonly string[], as?: Workload) => Promise<ExplainedFailure>
  readonly close: () => Promise<void>
}

export async function agentWorld(): Promise<AgentWorld> {
  const [scratch, system] = await Promise.all([scratchDirectory(), startSystem()])
  const admin = await system.session(system.admin)
  const way = await startTcpProxy({ target: system.addresses.exchange })
  const folder = scratch.path
  const path = (name: string) => join(folder, name)
  const write = (name: string, text: string) => {
    writeFileSync(path(name), text, { mode: 0o600 })
    return path(name)
  }
  const environment = { COUNTERSIGN_EXCHANGE: way.address }
  const acting = (as: Workload | undefined) => (as ? ['--credentials-file', write(`${as.clientId}.json`, JSON.stringify(as))] : [])
  return {
    system,
    admin,
    way,
    folder,
    path,
    write,
    read: (name) => readFileSync(path(name), 'utf8'),
    mode: (name) => (statSync(path(name)).mode & 0o777).toString(8),
    isThere: (name) => existsSync(path(name)),
    workload: (name, tokenTtlSeconds) => makeWorkload(admin, { name, tokenTtlSeconds }),
    isGood: (accessToken) => system.check(accessToken, 'read', 'orders').then(() => true, isRejection),
    refusal: async (args, as) => {
      const argv = ['node', 'countersign', 'agent', ...acting(as), ...args]
      const begun = commandLine(runIn({ environment: { ...environment, HOME: folder }, folder })).parseAsync(argv)
      return begun.then(() => { throw new Error('it was not refused') }, explain)
    },
    agent: (args, as, more = {}) =>
      startAgent([...acting(as), ...args], { folder, environment: { ...environment, ...more.environment }, ...(more.stdin !== undefined && { stdin: more.stdin }) }),
    close: async () => {
      await endAgents()
      await way.close()
      await system.close()
      await scratch.remove()
    },
  }
}

function isRejection(error: unknown): false {
  if (error instanceof DomainError && error.kind === 'UNAUTHENTICATED') return false
  throw error
}

/** Waits for what an agent brings about by itself. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(20)
}
