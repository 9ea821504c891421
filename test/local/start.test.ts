import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createLog } from '#libs/log.js'
import { createRpcClient } from '#libs/rpc/client.js'
import { deadlineOf } from '#libs/rpc/deadline.js'
import { traceOf } from '#libs/rpc/trace.js'
import { Metadata } from '@grpc/grpc-js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { RegistryInternalServiceService } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import { type Admin, loadAdmin, readAdmin } from '../../deploy/local/bootstrap.js'
import { startPostgres } from '../../deploy/local/embedded-postgres.js'
import { loadSecrets } from '../../deploy/local/secrets.js'
import { prepareServiceDatabase, urlOf } from '../../deploy/local/service-databases.js'
import { startServices } from '../../deploy/local/services.js'
import { bearer, callsTo } from '../support/calls.js'
import { type LocalSystem, processesNaming, startLocal } from '../support/local-system.js'
import { scratchDirectory } from '../support/scratch-directory.js'

const undo: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

async function newFolder(): Promise<string> {
  const scratch = await scratchDirectory()
  undo.push(() => scratch.remove())
  return join(scratch.path, 'data')
}

function start(folder: string, environment?: Record<string, string>): LocalSystem {
  const system = startLocal(folder, environment)
  undo.push(async () => {
    await system.stop('SIGKILL')
  })
  return system
}

function adminOf(folder: string): Admin {
  const admin = readAdmin(join(folder, 'admin.json'))
  if (!admin) throw new Error('there is no admin file')
  return admin
}

async function login(exchange: string, { clientId, clientSecret }: Admin): Promise<string> {
  const calls = callsTo(exchange)
  undo.push(() => calls.close())
  const { accessToken } = await calls(Exchange.login, { proof: { $case: 'universalAuth', value: { clientId, clientSecret } } })
  return accessToken
}

function registryOf(registry: string, token: string) {
  const calls = callsTo(registry, bearer(token))
  undo.push(() => calls.close())
  return calls
}

describe('npm start', () => {
  it('prints one line of JSON, keeps the admin to its owner, and leaves nothing running when it is stopped', async () => {
    const folder = await newFolder()
    const system = start(folder)
    const ready = await system.ready()

    expect(ready.admin).toBe(join(folder, 'admin.json'))
    expect(statSync(ready.admin).mode & 0o777).toBe(0o600)
    expect(Object.keys(JSON.parse(readFileSync(ready.admin, 'utf8')))).toEqual(['organizationId', 'identityId', 'clientId', 'clientSecret'])
    expect(JSON.parse(readFileSync(join(folder, 'addresses.json'), 'utf8'))).toEqual(ready)

    const { code, stdout } = await system.stop('SIGINT')
    expect(code).toBe(0)
    expect(stdout.trim().split('\n')).toHaveLength(1)
    expect(processesNaming(folder)).toEqual([])
    expect(existsSync(join(folder, 'addresses.json'))).toBe(false)
  })

  it('keeps everything at a second start: what was made, who may log in, and the tokens that were issued', async () => {
    const folder = await newFolder()
    const first = start(folder)
    const before = await first.ready()
    const token = await login(before.exchange, adminOf(folder))
    const project = await registryOf(before.registry, token)(Registry.createProject, { name: 'kept' })
    await first.stop()

    const after = await start(folder).ready()
    expect(await registryOf(after.registry, token)(Registry.getProject, { id: project.id })).toEqual({ ...project, revision: '' })
    await login(after.exchange, adminOf(folder))
  })

  it('starts again after it was killed, and ends the database that was left behind', async () => {
    const folder = await newFolder()
    const first = start(folder)
    await first.ready()
    await first.stop('SIGKILL')
    expect(processesNaming(folder)).not.toEqual([])

    const second = start(folder)
    await login((await second.ready()).exchange, adminOf(folder))
    await second.stop()
    expect(processesNaming(folder)).toEqual([])
  })

  it('says so and ends when the database ends by itself', async () => {
    const folder = await newFolder()
    const system = start(folder)
    await system.ready()
    const [pid = ''] = readFileSync(join(folder, 'postgres/postmaster.pid'), 'utf8').split('\n')
    process.kill(Number(pid), 'SIGKILL')
    const { code, stderr } = await system.ended()
    expect(code).toBe(1)
    expect(stderr).toContain('PostgreSQL ended by itself')
    expect(processesNaming(folder)).toEqual([])
  })

  it('leaves nothing running when it is stopped while it starts', async () => {
    const folder = await newFolder()
    const system = start(folder)
    await system.says('Starting the services')
    await system.stop()
    expect(processesNaming(folder)).toEqual([])
  })
})

describe('a crash between the two halves of the bootstrap', () => {
  it('heals at the next start when only the admin file was written', async () => {
    const folder = await newFolder()
    mkdirSync(folder)
    const admin = loadAdmin(join(folder, 'admin.json'))
    const { exchange, registry } = await start(folder).ready()
    expect(await registryOf(registry, await login(exchange, admin))(Registry.getOrganization, {})).toMatchObject({ id: admin.organizationId })
  })

  it('heals at the next start when only identity-registry had heard of the admin', async () => {
    const folder = await newFolder()
    mkdirSync(folder)
    const admin = loadAdmin(join(folder, 'admin.json'))
    await bootstrapRegistryOnly(folder, admin)

    const { exchange, registry } = await start(folder).ready()
    expect(await registryOf(registry, await login(exchange, admin))(Registry.getOrganization, {})).toMatchObject({ id: admin.organizationId })
  })
})

/** The first start up to the crash: the same parts, without the second half. */
async function bootstrapRegistryOnly(folder: string, { organizationId, identityId }: Admin): Promise<void> {
  const secrets = loadSecrets(join(folder, 'secrets.json'))
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), port: 0, password: secrets.postgresPassword, durable: true, log: () => undefined })
  const roles = (['registry', 'exchange'] as const).map((role) => ({ role, password: secrets[`${role}Password`], schema: role }))
  await prepareServiceDatabase(postgres.superuserUrl, { database: 'countersign', roles })
  const url = (role: 'registry' | 'exchange') => urlOf(postgres.superuserUrl, { database: 'countersign', role, password: secrets[`${role}Password`] })
  const log = () => createLog({ service: 'test', level: 'silent' })
  const environment = { REGISTRY_PORT: '0', EXCHANGE_PORT: '0', CHECK_PORT: '0' }
  const services = await startServices({ registryUrl: url('registry'), exchangeUrl: url('exchange'), secrets, log, environment })
  const serviceCredential = `bootstrap:${secrets.bootstrapCredential}`
  const registry = createRpcClient({ address: services.addresses.registryInternal, serviceCredential })
  const request = { organizationId, organizationName: 'default', identityId, identityName: 'admin' }
  await registry.unary(RegistryInternalServiceService.bootstrap, request, { deadline: deadlineOf(Infinity, 5_000), trace: traceOf(new Metadata()) })
  registry.close()
  await services.close()
  await postgres.stop()
}

describe('where it can not start, one line says what to do, it exits with 1, and nothing is left running', () => {
  const oneLine = /^Countersign can't start\. [^\n]+\n$/
  const lastLine = (stderr: string) => `${stderr.trim().split('\n').at(-1) ?? ''}\n`

  it('a port that is in use', async () => {
    const { port, server } = await occupiedPort()
    undo.push(() => void server.close())
    const folder = await newFolder()
    const { code, stdout, stderr } = await start(folder, { EXCHANGE_PORT: String(port) }).ended()
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(lastLine(stderr)).toMatch(oneLine)
    expect(lastLine(stderr)).toContain(`Port ${port} is in use`)
    expect(lastLine(stderr)).toContain('EXCHANGE_PORT')
    expect(processesNaming(folder)).toEqual([])
  })

  it('a data folder that can not be written', async () => {
    const scratch = await scratchDirectory()
    undo.push(() => scratch.remove())
    const file = join(scratch.path, 'file')
    writeFileSync(file, '')
    const { code, stderr } = await start(join(file, 'data')).ended()
    expect(code).toBe(1)
    expect(stderr).toMatch(oneLine)
    expect(stderr).toContain('--data DIR')
  })

  it('a data folder that another start runs on', async () => {
    const folder = await newFolder()
    const first = start(folder)
    await first.ready()
    const { code, stderr } = await start(folder).ended()
    expect(code).toBe(1)
    expect(stderr).toMatch(oneLine)
    expect(stderr).toContain(`as process ${first.process.pid}`)
    await login((await first.ready()).exchange, adminOf(folder))
  })

  it('an admin file that is gone', async () => {
    const folder = await newFolder()
    mkdirSync(join(folder, 'postgres'), { recursive: true })
    const { code, stderr } = await start(folder).ended()
    expect(code).toBe(1)
    expect(lastLine(stderr)).toMatch(oneLine)
    expect(stderr).toContain('admin.json is gone')
  })

  it('a variable that is wrong', async () => {
    const folder = await newFolder()
    const { code, stderr } = await start(folder, { REGISTRY_PORT: '70000' }).ended()
    expect(code).toBe(1)
    expect(stderr).toContain('REGISTRY_PORT: must be a port from 0 to 65535')
    expect(processesNaming(folder)).toEqual([])
  })
})

function occupiedPort(): Promise<{ port: number; server: Server }> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (address && typeof address === 'object') resolve({ port: address.port, server })
    })
  })
}
