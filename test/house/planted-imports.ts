// What import-rules.test.ts plants: a house in which every import is allowed, and one import each that is not.

/** Files, each with what it imports; `type X` stands for a type-only import. */
export type Tree = Readonly<Record<string, readonly string[]>>

const leaves = (...files: readonly string[]): Tree => Object.fromEntries(files.map((file) => [file, []]))

const LIBS = leaves(
  ...['clock', 'domain-error', 'env', 'fields', 'lifecycle', 'service-process', 'rules/rule', 'postgres/database', 'postgres/errors'],
  ...['redis/redis-store', 'redis/key-value', 'freshness/append', 'freshness/follow', 'freshness/lease', 'freshness/stamp'],
  ...['rpc/client', 'rpc/server', 'rpc/unary', 'wire/gen/order'],
)

// Every import that the rules allow and that a rule drawn too wide would forbid.
export const CLEAN: Tree = {
  ...Object.fromEntries(Object.keys(LIBS).map((name) => [`libs/${name}.ts`, []])),
  'libs/authorization.ts': ['./wire/gen/order.js', './rpc/client.js'],
  'libs/rpc/errors.ts': ['../wire/gen/order.js'],
  'libs/rpc/errors.test.ts': ['../../test/support/clock.js', './errors.js'],
  'libs/wire/descriptors.ts': ['./gen/order.js'],
  'services/orders/main.ts': ['./config.js', './app.js', '#libs/service-process.js'],
  'services/orders/app.ts': [
    ...['./config.js', './ports.js', './rpc/service.js', './store/schema.js', './cache/cached-orders.js', './peers/remote-orders.js'],
    ...['./jobs/sweep.js', './methods/token/verify.js', '#libs/authorization.js', '#libs/lifecycle.js', '#libs/wire/descriptors.js'],
    ...['#libs/postgres/database.js', '#libs/redis/redis-store.js', '#libs/rpc/server.js', '#libs/rpc/errors.js', '#libs/wire/gen/order.js'],
  ],
  'services/orders/config.ts': ['#libs/env.js', './domain/order.js', './signing/keys.js'],
  'services/orders/ports.ts': ['type ./domain/order.js', 'type ./store/schema.js', 'type #libs/clock.js', 'type #libs/freshness/stamp.js'],
  'services/orders/domain/order.ts': ['node:crypto', '#libs/domain-error.js', '#libs/fields.js', '#libs/rules/rule.js', './refusals.js'],
  'services/orders/domain/refusals.ts': [],
  'services/orders/domain/order.test.ts': ['node:fs', './order.js', '#libs/clock.js', 'vitest'],
  'services/orders/store/schema.ts': ['kysely', '#libs/freshness/append.js', 'type #libs/freshness/stamp.js', 'type #libs/rules/rule.js'],
  'services/orders/store/orders.ts': ['../domain/order.js', './schema.js', '#libs/postgres/errors.js', '#libs/domain-error.js', 'kysely'],
  'services/orders/cache/cached-orders.ts': [
    '../ports.js',
    '../domain/order.js',
    '#libs/redis/key-value.js',
    '#libs/freshness/lease.js',
    'type #libs/rpc/client.js',
  ],
  'services/orders/peers/remote-orders.ts': [
    '../ports.js',
    '../domain/order.js',
    '#libs/rpc/client.js',
    '#libs/freshness/follow.js',
    '#libs/wire/gen/order.js',
  ],
  'services/orders/methods/token/verify.ts': ['../../domain/order.js', '../../store/orders.js', '../../ports.js', 'jose'],
  'services/orders/signing/keys.ts': ['../domain/order.js', 'jose'],
  'services/orders/rpc/service.ts': ['./create-order.js', '#libs/rpc/unary.js', '#libs/wire/gen/order.js'],
  'services/orders/rpc/create-order.ts': [
    '../domain/order.js',
    '../store/orders.js',
    '../ports.js',
    '#libs/authorization.js',
    'type #libs/postgres/database.js',
  ],
  'services/orders/jobs/sweep.ts': ['../store/orders.js', '../domain/order.js', '../ports.js', '../signing/keys.js', '#libs/clock.js'],
  'services/orders/operations/recover.ts': ['../domain/order.js', '../store/orders.js', '../methods/token/verify.js', '#libs/clock.js', '#libs/freshness/append.js'],
  'services/payments/main.ts': ['./app.js'],
  'services/payments/app.ts': ['./config.js', './domain/payment.js'],
  'services/payments/config.ts': [],
  'services/payments/domain/payment.ts': [],
  'cli/main.ts': ['#libs/rpc/client.js', '#libs/wire/gen/order.js'],
  'deploy/local/main.ts': ['../../services/orders/app.js', '../../services/orders/config.js', '#libs/wire/gen/order.js'],
  'deploy/database/main.ts': ['../../services/orders/operations/recover.js'],
  'bench/check.ts': ['../services/orders/app.js', '#libs/wire/gen/order.js'],
  'test/support/clock.ts': [],
  'test/orders/create-order.test.ts': ['../../services/orders/domain/order.js', '#libs/wire/gen/order.js', '../support/clock.js'],
}

type Plant = { readonly rule: string; readonly from: string; readonly imports: string }

const plant = (rule: string, from: string, imports: string): Plant => ({ rule, from, imports })
const inService = (rule: string, ...edges: readonly (readonly [from: string, imports: string])[]): Plant[] =>
  edges.map(([from, imports], index) => plant(rule, `services/${rule}-${index}/${from}`, imports))

// Each in a service of its own, where only app.ts and what is imported stand beside it.
export const PLANTS: readonly Plant[] = [
  ...inService(
    'services-are-islands',
    ['rpc/create.ts', '../../payments/domain/payment.js'],
    ['app.ts', 'type ../payments/config.js'],
    ['rpc/create.ts', '../../../test/support/clock.js'],
  ),
  plant('services-are-islands', 'cli/planted.ts', '../services/payments/config.js'),
  plant('libs-know-no-service', 'libs/planted-service.ts', 'type ../services/payments/domain/payment.js'),
  plant('libs-know-no-service', 'libs/planted-test.ts', '../test/support/clock.js'),
  ...inService(
    'domain-is-pure',
    ['domain/thing.ts', '../store/things.js'],
    ['domain/thing.ts', '#libs/clock.js'],
    ['domain/thing.ts', 'node:fs'],
    ['domain/thing.ts', 'kysely'],
    ['domain/thing.ts', 'type ../ports.js'],
  ),
  ...inService(
    'store-is-only-sql',
    ['store/things.ts', 'type ../ports.js'],
    ['store/things.ts', '../cache/cached.js'],
    ['store/things.ts', '#libs/clock.js'],
    ['store/things.ts', 'pg'],
    ['store/things.ts', '#libs/rules/rule.js'],
    ['store/things.ts', '#libs/freshness/stamp.js'],
  ),
  ...inService(
    'rooms-do-not-reach-sideways',
    ['cache/cached.ts', '../peers/remote.js'],
    ['cache/cached.ts', '../store/things.js'],
    ['cache/cached.ts', '#libs/postgres/errors.js'],
    ['peers/remote.ts', '../cache/cached.js'],
    ['peers/remote.ts', '#libs/redis/key-value.js'],
    ['methods/token/verify.ts', '../../peers/remote.js'],
    ['signing/keys.ts', '../rpc/service.js'],
    ['jobs/sweep.ts', '../cache/cached.js'],
    ['operations/recover.ts', '../peers/remote.js'],
    ['ports.ts', 'type ./store/things.js'],
    ['ports.ts', './domain/thing.js'],
    ['ports.ts', '#libs/clock.js'],
  ),
  ...inService(
    'rpc-sees-ports-not-layers',
    ['rpc/create.ts', '../cache/cached.js'],
    ['rpc/create.ts', 'type ../peers/remote.js'],
    ['rpc/create.ts', '../methods/token/verify.js'],
    ['rpc/create.ts', '../signing/keys.js'],
    ['rpc/create.ts', '../jobs/sweep.js'],
  ),
  ...inService(
    'only-app-wires',
    ['rpc/create.ts', 'type ../config.js'],
    ['ports.ts', 'type ./config.js'],
    ['config.ts', './store/things.js'],
    ['main.ts', './rpc/service.js'],
    ['rpc/create.ts', '#libs/postgres/database.js'],
    ['cache/cached.ts', '#libs/redis/redis-store.js'],
    ['jobs/sweep.ts', '#libs/rpc/client.js'],
    ['rpc/create.ts', '../operations/recover.js'],
  ),
  plant('only-app-wires', 'deploy/local/planted-operation.ts', '../../services/orders/operations/recover.js'),
  plant('only-app-wires', 'deploy/local/planted.ts', '../../services/payments/domain/payment.js'),
  ...inService(
    'wire-stays-at-the-edge',
    ['domain/thing.ts', 'type #libs/wire/gen/order.js'],
    ['store/things.ts', '#libs/wire/gen/order.js'],
    ['cache/cached.ts', 'type #libs/wire/gen/order.js'],
    ['ports.ts', 'type #libs/wire/gen/order.js'],
    ['jobs/sweep.ts', '#libs/wire/gen/order.js'],
  ),
  plant('wire-stays-at-the-edge', 'libs/planted-wire.ts', './wire/gen/order.js'),
]

export const ORPHANS = ['libs/planted-orphan.ts', 'services/payments/domain/planted-orphan.ts'] as const

const CYCLE: Tree = { 'libs/planted-hen.ts': ['type ./planted-egg.js'], 'libs/planted-egg.ts': ['type ./planted-hen.js'] }
const UNUSED: Tree = {
  [ORPHANS[0]]: ['./clock.js'],
  [ORPHANS[1]]: [],
  'services/payments/domain/planted-orphan.test.ts': ['./planted-orphan.js'],
}

/** What keeps a planted file from being an orphan, by an import that is allowed. */
function keeperOf(file: string): string {
  if (file.startsWith('cli/')) return 'cli/main.ts'
  if (file.includes('/operations/')) return 'deploy/database/main.ts'
  if (file.startsWith('deploy/')) return 'deploy/local/main.ts'
  return file.startsWith('libs/') ? 'services/payments/app.ts' : file.replace(/^(services\/[^/]+)\/.*/, '$1/app.ts')
}

/** The clean tree with every plant in it. */
export function plantedTree(): Tree {
  const tree = new Map(Object.entries(CLEAN).map(([file, imports]) => [file, new Set(imports)]))
  const importsOf = (file: string): Set<string> => tree.get(file) ?? tree.set(file, new Set()).get(file) ?? new Set()
  const keep = (file: string) => {
    const keeper = keeperOf(file)
    if (keeper !== file && !file.endsWith('/main.ts')) importsOf(keeper).add(specifierOf(keeper, file))
  }
  for (const { from, imports } of PLANTS) {
    importsOf(from).add(imports)
    keep(from)
    const target = targetOf(from, imports)
    if (!target?.startsWith('services/') || target in CLEAN) continue
    importsOf(target)
    keep(target)
  }
  const apps = [...tree.keys()].filter((file) => /^services\/[^/]+\/app\.ts$/.test(file))
  for (const app of apps) importsOf(app.replace('app.ts', 'main.ts')).add('./app.js')
  importsOf('services/payments/app.ts').add('#libs/planted-hen.js')
  return { ...Object.fromEntries([...tree].map(([file, imports]) => [file, [...imports]])), ...CYCLE, ...UNUSED }
}

const specifierOf = (importer: string, file: string): string =>
  `${file.startsWith('libs/') ? '#' : '../'.repeat(importer.split('/').length - 1)}${file.replace(/ts$/, 'js')}`

/** The file that a relative or aliased import means, or undefined for a package. */
export function targetOf(from: string, imports: string): string | undefined {
  const specifier = imports.replace(/^type /, '').replace(/\.js$/, '.ts')
  if (specifier.startsWith('#')) return specifier.slice(1)
  return specifier.startsWith('.') ? new URL(specifier, `file:///${from}`).pathname.slice(1) : undefined
}

/** A file that imports what it is told to. */
export const contentOf = (imports: readonly string[]): string =>
  [
    ...imports.map((one) => (one.startsWith('type ') ? `import type { thing } from '${one.slice(5)}'` : `import { thing } from '${one}'`)),
    'export const thing = 1',
    '',
  ].join('\n')
