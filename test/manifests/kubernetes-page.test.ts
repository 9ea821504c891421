import { execFile } from 'node:child_process'
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { digestOf, internalCallers } from '#libs/rpc/service-credential.js'
import { commandLine } from '../../cli/program.js'
import { runMigrate } from '../../deploy/database/run.js'
import { newSecrets } from '../../deploy/local/secrets.js'
import { urlOf, withClient } from '../../deploy/local/service-databases.js'
import { serviceEnvironments } from '../../deploy/local/services.js'
import { lintText } from '../../deploy/manifests/lint.js'
import { judgeShape, type KubernetesObject } from '../../deploy/manifests/schema.js'
import { parseStrictly } from '../../deploy/manifests/strict-yaml.js'
import { configSchema as exchange } from '../../services/auth-exchange/config.js'
import { configSchema as check } from '../../services/authorization-check/config.js'
import { configSchema as registry } from '../../services/identity-registry/config.js'
import { read, ROOT } from '../house/documents.js'
import { FROM_SOURCE } from '../support/processes.js'
import { type ScratchDirectory, scratchDirectory } from '../support/scratch-directory.js'
import { startSystem, type System } from '../support/system.js'
import { problemsOfLine } from './kubectl-lines.js'
import { blocksOf, linesOf } from './page-blocks.js'
import { documentsOf, rendererForTests, targetCalled } from './renderings.js'

// docs/kubernetes.md, typed as it stands: what this machine can run is run, in order, in a copy of the manifests, and what it
// makes is judged; what needs a cluster names nothing that the manifests do not have.

const MARKS = ['sh needs-cluster', 'sh needs-docker', 'sh needs-database']
const blocks = blocksOf('docs/kubernetes.md')
const runnable = blocks.filter(({ info }) => info === 'sh')
const renderer = await rendererForTests()
const production = targetCalled('production')
/** An installation and an application with a sidecar. */
const together = targetCalled('with sidecar')

let scratch: ScratchDirectory
let system: System
const at = (...path: string[]) => join(scratch.path, ...path)
const contentOf = (...path: string[]) => readFileSync(at(...path), 'utf8')
const renderings: { path: string; text: string }[] = []
const said: { code: string; succeeded: boolean; output: string }[] = []

/** npx finds the command line, on the sources; addresses and credentials are those of a system that runs here. */
const NPX = `npx() { shift; node ${FROM_SOURCE.map((word) => (word === 'tsx' ? import.meta.resolve('tsx') : word)).join(' ')} '${join(ROOT, 'cli/main.ts')}' "$@"; }`

function runInBash(code: string): Promise<void> {
  const { registry: REGISTRY, exchange: EXCHANGE, check: CHECK } = system.addresses
  const env = { PATH: process.env['PATH'], HOME: scratch.path, COUNTERSIGN_REGISTRY: REGISTRY, COUNTERSIGN_EXCHANGE: EXCHANGE, COUNTERSIGN_CHECK: CHECK, COUNTERSIGN_CREDENTIALS_FILE: at('admin.json') }
  // Not waited for synchronously: the system that is asked runs in this process.
  return new Promise((done) => {
    execFile('bash', ['--norc', '-euo', 'pipefail', '-c', `${NPX}\n${code}`], { cwd: scratch.path, env, timeout: 150_000 }, (error, stdout, stderr) => {
      said.push({ code, succeeded: error === null, output: stdout + stderr })
      done()
    })
  })
}

/** Line by line where kustomize has a part: it is whatever renders here. */
async function runBlock(code: string): Promise<void> {
  const isRendering = (line: string) => line.startsWith('kubectl kustomize ')
  await runInBash(code.split('\n').filter((line) => !isRendering(line)).join('\n'))
  for (const line of linesOf(code).filter(isRendering)) {
    const [, path = '', file = ''] = /^kubectl kustomize (\S+) > (\S+)$/.exec(line) ?? []
    const text = (await renderer?.render(relative(ROOT, at(path)))) ?? ''
    writeFileSync(at(file), text)
    renderings.push({ path, text })
  }
}

beforeAll(async () => {
  scratch = await scratchDirectory()
  mkdirSync(at('deploy'))
  const isMade = (path: string) => !path.includes('/throw-away/') || path.endsWith('make.sh')
  cpSync(join(ROOT, 'deploy/kubernetes'), at('deploy/kubernetes'), { recursive: true, filter: isMade })
  // As in a cluster, whoever asks for a check shows who they are.
  system = await startSystem({ environment: { HOST: '0.0.0.0' } })
  writeFileSync(at('admin.json'), JSON.stringify(system.admin), { mode: 0o600 })
  for (const { code } of runnable) await runBlock(code)
}, 300_000)
afterAll(async () => {
  await system.close()
  await scratch.remove()
})

const SERVICES = ['identity-registry', 'auth-exchange', 'authorization-check'] as const

describe('the commands of docs/kubernetes.md', () => {
  it('are run here, or say what they need', () => {
    const shell = blocks.filter(({ info, code }) => info !== '' || /^(?:kubectl|npx|docker|openssl|psql) /m.test(code))
    expect(shell.filter(({ info }) => info !== 'sh' && !MARKS.includes(info))).toEqual([])
    expect(runnable.length).toBeGreaterThan(8)
  })

  it('succeed, every one that can be run', () => {
    expect(said.filter(({ succeeded }) => !succeeded)).toEqual([])
    expect(said).toHaveLength(runnable.length)
  })

  it('end in a check that is allowed, asked by somebody who may ask', () => {
    const check = said.find(({ code }) => code.includes('countersign check'))
    expect(check?.output).toContain('allowed: rule 0 of role viewer allows it')
  })

  it('make the throw-away certificates of the development overlay', () => {
    for (const service of SERVICES) expect(existsSync(at('deploy/kubernetes/overlays/development/throw-away', service, 'tls.crt'))).toBe(true)
  })

  it('of the command line are commands that there are', () => {
    const typed = blocks.flatMap(({ code }) => [...code.matchAll(/^npx countersign ([a-z]+)/gm)].map(([, name = '']) => name))
    const there = commandLine(() => Promise.resolve()).commands.map((command) => command.name())
    expect(typed.filter((name) => !there.includes(name))).toEqual([])
    expect(typed).toContain('check')
  })

  it('for Docker and psql name files that are there', () => {
    const files = blocks.flatMap(({ code }) => [...code.matchAll(/^(?:docker|psql) .*-f (\S+)/gm)].map(([, file = '']) => file))
    expect(files.filter((file) => !existsSync(join(ROOT, file)) && !existsSync(at(file)))).toEqual([])
    expect(files.length).toBeGreaterThan(2)
  })
})

describe('the secrets that they make', () => {
  const schemas = { 'identity-registry': registry, 'auth-exchange': exchange, 'authorization-check': check }

  it.each(SERVICES)('are what %s takes', (service) => {
    const keys = production.expects.get(`${service}-secrets`) ?? []
    const values = keys.map((key) => [key.toUpperCase().replaceAll('-', '_'), contentOf('secrets', service, key)] as const)
    const shape: Readonly<Record<string, { safeParse(value: unknown): { success: boolean } }>> = schemas[service].shape
    expect(values.filter(([name, value]) => shape[name]?.safeParse(value).success !== true).map(([name]) => name)).toEqual([])
    expect(values.length).toBeGreaterThan(3)
  })

  it.each([['identity-registry', 'registry'], ['auth-exchange', 'exchange'], ['authorization-check', 'check']] as const)('let %s be called for what the others call it for', (service, short) => {
    const known = internalCallers.parse(contentOf('secrets', service, 'internal-callers'))
    const secrets = { ...newSecrets(), registryCredential: outside('identity-registry'), exchangeCredential: outside('auth-exchange'), checkCredential: outside('authorization-check'), bootstrapCredential: outside('bootstrap') }
    const own = serviceEnvironments({ registryUrl: '', exchangeUrl: '', secrets })[short]
    expect(known.filter(({ name }) => name !== 'orders')).toEqual(internalCallers.parse(own.INTERNAL_CALLERS))
    expect(contentOf('secrets', service, 'service-credential')).toBe(own.SERVICE_CREDENTIAL)
  })

  it('let a sidecar ask all three for what it needs, about one organization and one project', () => {
    const entries = SERVICES.map((service) => internalCallers.parse(contentOf('secrets', service, 'internal-callers')).filter(({ name }) => name === 'orders'))
    const [one] = entries[0] ?? []
    expect(one?.projects).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)])
    const entry = { name: 'orders', digests: [digestOf(outside('orders'))], certificates: ['DNS:orders.shop'], organizations: [system.admin.organizationId], projects: one?.projects }
    expect(entries).toEqual([
      [{ ...entry, methods: ['/countersign.registry.v1.RegistryInternalService/ResolveGrants', '/countersign.registry.v1.RegistryInternalService/ResolveRole'] }],
      [{ ...entry, methods: ['/countersign.exchange.v1.ExchangeInternalService/DescribeToken', '/countersign.exchange.v1.ExchangeInternalService/ConsumeUse', '/countersign.exchange.v1.ExchangeInternalService/DescribePrincipal'] }],
      [{ ...entry, methods: ['/countersign.feed.v1.ChangeFeedService/PullChanges'] }],
    ])
    expect(check.shape.SERVICE_CREDENTIAL.parse(contentOf('secrets/orders/service-credential'))).toBe(`orders:${outside('orders')}`)
  })

  const outside = (name: string) => contentOf('secrets/outside', name)
})

describe('the certificates that they make', () => {
  it('are for the sidecar of orders, as a client by the name that its entries ask for', () => {
    const certificate = new X509Certificate(contentOf('certificates/orders/tls.crt'))
    expect([certificate.verify(new X509Certificate(contentOf('certificates/orders/ca.crt')).publicKey), certificate.checkPrivateKey(createPrivateKey(contentOf('certificates/orders/tls.key')))]).toEqual([true, true])
    expect(certificate.subjectAltName).toBe('DNS:orders.shop')
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
  })

  it.each([...SERVICES, 'bootstrap'])('are for %s, by the authority, with its key', (name) => {
    const certificate = new X509Certificate(contentOf('certificates', name, 'tls.crt'))
    expect(certificate.verify(new X509Certificate(contentOf('certificates', name, 'ca.crt')).publicKey)).toBe(true)
    expect(certificate.checkPrivateKey(createPrivateKey(contentOf('certificates', name, 'tls.key')))).toBe(true)
    for (const host of [name, `${name}-headless`, `${name}.countersign.svc.cluster.local`]) expect(certificate.checkHost(host)).toBe(host)
  })
})

describe('the database that they make', () => {
  const tag = randomBytes(4).toString('hex')
  const names = ['migrate', 'registry', 'exchange', 'countersign']
  const other = (text: string) => names.reduce((all, name) => all.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), `${name}_${tag}`), text)
  const server = inject('postgresUrl')

  afterAll(async () => {
    await withClient(server, async (client) => {
      await client.query(`drop database if exists countersign_${tag} with (force)`)
      for (const role of ['migrate', 'registry', 'exchange']) await client.query(`drop role if exists ${role}_${tag}`)
    })
  })

  it('is one in which the migrations run, and which the services may enter', async () => {
    await withClient(server, async (client) => {
      for (const statement of other(contentOf('database.sql')).split(';\n').filter((one) => one.trim() !== '')) await client.query(statement)
    })
    const database = `countersign_${tag}`
    const as = (role: string) => urlOf(server, { database, role: `${role}_${tag}`, password: contentOf('secrets/outside', `database-${role}`) })
    const environment = { MIGRATE_DATABASE_URL: as('migrate'), REGISTRY_DATABASE_ROLE: `registry_${tag}`, EXCHANGE_DATABASE_ROLE: `exchange_${tag}` }
    let told = ''
    const streams = { out: () => undefined, tell: (text: string) => void (told += text) }
    expect(await runMigrate(['up'], environment, streams), told).toBe(0)
    expect(await withClient(as('registry'), async (client) => (await client.query('select from registry.feed_head')).rowCount)).toBe(1)
    await expect(withClient(as('registry'), (client) => client.query('select from exchange.feed_head'))).rejects.toThrow('permission denied')
    const given = new URL(contentOf('secrets/auth-exchange/database-url'))
    expect([given.username, given.password, given.pathname]).toEqual(['exchange', contentOf('secrets/outside/database-exchange'), '/countersign'])
  })
})

describe.skipIf(!renderer)('the manifests', () => {
  let objects: KubernetesObject[]
  beforeAll(async () => {
    const documents = renderer ? await documentsOf(renderer, 'with sidecar') : []
    objects = documents.flatMap((document) => judgeShape(document).object ?? [])
  })

  it('that they render, before and after a new version, have no fault', () => {
    const installed = renderings.filter(({ path }) => path.endsWith('/mine')).map(({ text }) => text)
    expect(installed.flatMap((text) => lintText(production, text))).toEqual([])
    const jobs = installed.map((text) => parseStrictly(text).documents.flatMap((document) => judgeShape(document).object ?? []).filter(({ kind }) => kind === 'Job').map(({ metadata }) => metadata.name))
    expect(jobs).toEqual([['migrate-0-1-0'], ['migrate-0-1-0'], ['migrate-0-2-0']])
    expect(installed.map((text) => text.includes('RELAY_PORT'))).toEqual([false, true, true])
    expect(installed.at(-1)).toContain('registry.example.net/platform/countersign:0.2.0')
  })

  it('have all that the lines for a cluster name', () => {
    const lines = blocks.filter(({ info }) => info === 'sh needs-cluster').flatMap(({ code }) => linesOf(code)).filter((line) => !line.startsWith('npx countersign'))
    expect(lines.flatMap((line) => problemsOfLine(line, { objects, target: together, folder: scratch.path }))).toEqual([])
    expect(lines.length).toBeGreaterThan(20)
  })

  // A rule that looks at nothing is green.
  it.each([
    'kubectl -n countersigns get pods', 'kubectl -n countersign logs job/migrate', 'kubectl apply -k deploy/kubernetes/overlays/gone', 'kubectl -n countersign get mice',
    'kubectl -n countersign create secret generic gone-secrets --from-file=secrets/migrate', 'kubectl -n countersign create secret generic migrate-secrets --from-file=secrets/auth-exchange',
    'kubectl -n countersign port-forward deployment/identity-registry 50053:50053', 'kubectl -n countersign rollout pause deployment/identity-registry',
    'kubectl label namespace shop countersign.dev/clients=true', 'kubectl -n countersign wait --for=condition=completed job/migrate-0-1-0', 'kubectl delete all',
  ])('lack what this names: %s', (line) => {
    expect(problemsOfLine(line, { objects, target: together, folder: scratch.path })).toHaveLength(1)
  })

  it('have alerts by metrics that there are', () => {
    const metrics = [...read('docs/kubernetes.md').text.matchAll(/`((?:countersign|rpc_server|nodejs)_\w+)/g)].map(([, name = '']) => name.replace(/_count$/, ''))
    expect(metrics.filter((name) => !read('docs/metrics.md').text.includes(`\`${name}`))).toEqual([])
    expect(metrics.length).toBeGreaterThan(5)
  })

  it('take as many connections as the page says', () => {
    const { text } = read('docs/kubernetes.md')
    const most = Math.max(...objects.filter((object) => HorizontalPodAutoscaler.is(object)).map(({ spec }) => spec?.maxReplicas ?? 0)) + 1
    const each = 2 * registry.shape.DATABASE_POOL_SIZE.parse(undefined) + 1
    expect(text).toContain(`up to ${each} connections`)
    expect(text).toContain(`at ${most} replicas ${most * each}`)
  })
})
