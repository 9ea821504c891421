import { randomBytes } from 'node:crypto'
import { Closing } from '#libs/lifecycle.js'
import {
  AuthorizationCheckServiceService as Check,
  type CheckRequest,
  type CheckResponse,
} from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import type { LoginResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { bootstrap, newAdmin } from '../deploy/local/bootstrap.js'
import { newSecrets } from '../deploy/local/secrets.js'
import { serviceEnvironments } from '../deploy/local/services.js'
import { bindTo, makeProject, makeWorkload, type Workload } from '../test/support/builders.js'
import { bearer, type Calls, callsTo } from '../test/support/calls.js'
import { gatewayCallers } from '../test/support/gateway-callers.js'
import { isServing, mainOf, nodeProcess, type Process, type Processes, type ProcessesOptions, startProcesses } from '../test/support/processes.js'
import { relayCallers } from '../test/support/relay-callers.js'
import { stablePort } from '../test/support/stable-port.js'
import type { Credentials, Session } from '../test/support/system.js'
import { type Part, withChildren } from './cpu.js'

/** The three services as processes, and a project with workloads that may read its secrets. */
export type BenchSystem = {
  readonly from: 'dist' | 'source'
  readonly addresses: Processes['addresses']
  readonly parts: Record<'registry' | 'exchange' | 'check' | 'postgres', Part>
  /** One for each call in flight: logins with the same secret would wait for each other's row. */
  readonly workloads: Workloads
  /** An allowed question with a live token, and its answer. */
  readonly question: CheckRequest
  readonly answer: CheckResponse
  /** The admin's. */
  readonly session: Session
  readonly projectId: string
  /** As authorization-check shows it. */
  readonly serviceCredential: string
  /** By which a login says from where it comes. */
  readonly gatewaySecret: string
  readonly redisUrl: string
  readonly login: (credentials: Credentials) => Promise<LoginResponse>
  /** One more authorization-check beside the one of the system, with other settings. */
  startCheck(environment: Readonly<Record<string, string>>, options?: { readonly redis: boolean }): Promise<Replica>
  close(): Promise<void>
}

export type Replica = { readonly address: string; readonly part: Part; close(): Promise<void> }

type Workloads = readonly [Workload, ...Workload[]]

/** Without the postmaster's pid nothing is known of PostgreSQL's CPU time. */
export type BenchDatabase = Pick<ProcessesOptions, 'registryUrl' | 'exchangeUrl'> & { readonly redisUrl: string; readonly postgresPid?: number }

type Options = BenchDatabase & Pick<ProcessesOptions, 'nodeOptions'> & { readonly from: 'dist' | 'source'; readonly workloads: number }

export async function startBenchSystem({ from, workloads: count, postgresPid, ...options }: Options): Promise<BenchSystem> {
  const [secrets, gatewaySecret] = [newSecrets(), randomBytes(32).toString('base64url')]
  const { exchange: exchangeAlone } = serviceEnvironments({ ...options, secrets })
  const each = { exchange: { INTERNAL_CALLERS: gatewayCallers(exchangeAlone['INTERNAL_CALLERS'] ?? '', gatewaySecret) } }
  const processes = await startProcesses({ ...options, from, secrets, each })
  const closing = new Closing()
  closing.add(() => processes.close())
  const { addresses, registry, exchange, check } = processes
  const owners = { REGISTRY_INTERNAL_ADDRESS: addresses.registryInternal, EXCHANGE_INTERNAL_ADDRESS: addresses.exchangeInternal }
  const variables = (redis: boolean) => {
    const { registryUrl, exchangeUrl, redisUrl } = options
    const { check: own } = serviceEnvironments({ registryUrl, exchangeUrl, secrets, ...(redis && { redisUrl }) })
    return { ...own, ...owners, INTERNAL_CALLERS: relayCallers(own['INTERNAL_CALLERS'] ?? '', secrets.checkCredential) }
  }
  const open = (address: string, headers?: Record<string, string>): Calls => {
    const calls = callsTo(address, headers)
    closing.add(() => calls.close())
    return calls
  }
  const anonymous = { exchange: open(addresses.exchange), check: open(addresses.check) }
  const login = ({ clientId, clientSecret }: Credentials) =>
    anonymous.exchange(Exchange.login, { proof: { $case: 'universalAuth', value: { clientId, clientSecret } } })
  try {
    const admin = newAdmin()
    await bootstrap(addresses, { credential: secrets.bootstrapCredential }, admin)
    const { accessToken: token, tokenId } = await login(admin)
    const [registryCalls, exchangeCalls] = [open(addresses.registry, bearer(token)), open(addresses.exchange, bearer(token))]
    const session: Session = { token, tokenId, registry: registryCalls, exchange: exchangeCalls, check: anonymous.check }
    const projectId = await makeProject(session, 'bench')
    const workloads = await makeWorkloads(session, projectId, count)
    const { accessToken } = await login(workloads[0])
    const question: CheckRequest = { accessToken, projectId, action: 'read', resource: { type: 'secrets', attributes: {} }, consistency: undefined, context: {}, sourceAddress: '' }
    const answer = await anonymous.check(Check.check, question)
    const postgres: Part = { name: 'PostgreSQL', pids: () => (postgresPid === undefined ? Promise.resolve([]) : withChildren(postgresPid)) }
    const parts = { registry: partOf(registry), exchange: partOf(exchange), check: partOf(check), postgres }
    const startCheck: BenchSystem['startCheck'] = (environment, { redis } = { redis: true }) => startReplica([...(options.nodeOptions ?? []), ...mainOf('authorization-check', from)], { ...variables(redis), ...environment })
    return { from, addresses, parts, workloads, question, answer, session, projectId, serviceCredential: `authorization-check:${secrets.checkCredential}`, gatewaySecret, redisUrl: options.redisUrl, login, startCheck, close: () => closing.close() }
  } catch (error) {
    await closing.close()
    throw error
  }
}

async function makeWorkloads(session: Session, projectId: string, count: number): Promise<Workloads> {
  const make = async (number: number): Promise<Workload> => {
    const workload = await makeWorkload(session, { name: `workload-${number}` })
    await bindTo(session, workload.identityId, projectId, 'viewer')
    return workload
  }
  const workloads: [Workload, ...Workload[]] = [await make(1)]
  while (workloads.length < count) workloads.push(await make(workloads.length + 1))
  return workloads
}

async function startReplica(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<Replica> {
  const port = await stablePort()
  const address = environment['CHECK_SOCKET'] === undefined ? `127.0.0.1:${port}` : `unix:${environment['CHECK_SOCKET']}`
  const replica = nodeProcess({ name: 'authorization-check', args, environment: { ...environment, CHECK_PORT: String(port) }, isReady: () => isServing(address) })
  await replica.restart()
  return { address, part: partOf(replica), close: () => replica.stop() }
}

const partOf = (process: Process): Part => ({ name: process.name, pids: () => Promise.resolve([process.pid]) })
