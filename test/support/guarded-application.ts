import { join } from 'node:path'
import { Closing } from '#libs/lifecycle.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import type { Rule } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { serviceEnvironments } from '../../deploy/local/services.js'
import { type Application, startApplication, startGrpcApplication } from './applications.js'
import { bindTo, makeProject, makeWorkload, type Workload } from './builders.js'
import { type DeployedConfig, type Envoy, startEnvoy } from './envoy-process.js'
import { isServing, mainOf, nodeProcess, type Process } from './processes.js'
import { scratchDirectory } from './scratch-directory.js'
import { type Session, startSystem, type System } from './system.js'
import { startTcpProxy } from './tcp-proxy.js'
import { sendUntilDecided, type WebAnswer, type WebClient, type WebRequest, webClient } from './web-client.js'

/** An application behind a real Envoy, and an authorization-check beside it that is a process of its own. */
export type GuardedApplication = {
  readonly system: System
  readonly admin: Session
  readonly projectId: string
  readonly check: Process
  readonly application: Application
  readonly grpcApplication: Application
  readonly envoy: Envoy
  readonly client: WebClient
  /** As a client sends that comes again where there was no decision, as there may be none in time on a machine that is too busy. */
  send(target: string, request?: WebRequest): Promise<WebAnswer>
  /** Whether authorization-check reaches the two services that it asks. */
  readonly owners: { cut(): void; pass(): void }
  close(): Promise<void>
}

/** As the deployed files have them. */
export const PLACEHOLDERS = {
  project: '01900000-0000-7000-8000-00000000c0de',
  organization: '01900000-0000-7000-8000-000000000ac0',
  socket: '/run/countersign/check.sock',
  application: '127.0.0.1:3000',
  grpcApplication: '127.0.0.1:3001',
} as const

/** Rather than to fail where others keep the machine from pulling in time. */
export const PATIENT = { STALENESS_BOUND_MILLIS: '1000' }

export async function guardApplication(program: string, config: DeployedConfig = 'envoy'): Promise<GuardedApplication> {
  const closing = new Closing()
  try {
    const system = await startSystem({ environment: PATIENT })
    closing.add(() => system.close())
    const admin = await system.session(system.admin)
    const projectId = await makeProject(admin, 'shop')
    const [application, grpcApplication] = [await startApplication(), await startGrpcApplication()]
    for (const one of [application, grpcApplication]) closing.add(() => one.close())
    const { check, socket, owners } = await startSidecar(system, closing)
    const instead = {
      [PLACEHOLDERS.project]: projectId,
      [PLACEHOLDERS.socket]: socket,
      [PLACEHOLDERS.application]: application.address,
      ...(config === 'envoy' && { [PLACEHOLDERS.grpcApplication]: grpcApplication.address }),
    }
    const envoy = await startEnvoy({ program, config, instead })
    closing.add(() => envoy.stop())
    const client = webClient(envoy.address)
    closing.add(() => client.close())
    const send: GuardedApplication['send'] = (target, request) => sendUntilDecided(client, target, request)
    return { system, admin, projectId, check, application, grpcApplication, envoy, client, send, owners, close: () => closing.close() }
  } catch (error) {
    await closing.close()
    throw error
  }
}

/** A workload with a role of these rules in the project, and a token. */
export async function workloadThat({ admin, projectId, system }: GuardedApplication, name: string, ...rules: Rule[]): Promise<Workload & { readonly bindingId: string; readonly token: string }> {
  await admin.registry(Registry.createRole, { projectId, name, description: '', rules })
  const made = await makeWorkload(admin, { name })
  const bindingId = await bindTo(admin, made.identityId, projectId, name)
  return { ...made, bindingId, token: (await system.login(made)).accessToken }
}

/** An authorization-check on a Unix socket, and the way from it to both owners. */
export async function startSidecar(system: System, closing: Closing): Promise<{ readonly check: Process; readonly socket: string; readonly owners: GuardedApplication['owners'] }> {
  const scratch = await scratchDirectory()
  closing.add(() => scratch.remove())
  const socket = join(scratch.path, 'check.sock')
  const ways = [await startTcpProxy({ target: system.addresses.registryInternal }), await startTcpProxy({ target: system.addresses.exchangeInternal })]
  for (const way of ways) closing.add(() => way.close())
  const environment = {
    ...serviceEnvironments({ ...system.databases, secrets: system.secrets }).check,
    REGISTRY_INTERNAL_ADDRESS: ways[0]?.address ?? '',
    EXCHANGE_INTERNAL_ADDRESS: ways[1]?.address ?? '',
    CHECK_SOCKET: socket,
  }
  const check = nodeProcess({ name: 'authorization-check', args: mainOf('authorization-check', 'source'), environment, isReady: () => isServing(`unix:${socket}`) })
  closing.add(() => check.stop())
  await check.restart()
  const all = (act: 'cut' | 'pass') => () => ways.forEach((way) => way[act]())
  return { check, socket, owners: { cut: all('cut'), pass: all('pass') } }
}
