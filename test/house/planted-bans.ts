// What lint-bans.test.ts plants: one file for each ban that ESLint carries, and one for each place where it is lifted.

type Planted = { readonly ban: string; readonly file: string; readonly source: string; readonly report: string }
type Permitted = { readonly why: string; readonly file: string; readonly source: string }

type Bans = Readonly<Record<string, readonly [source: string, report: string]>>

function planted(folder: string, bans: Bans): Planted[] {
  return Object.entries(bans).map(([ban, [source, report]], index) => ({ ban, file: `${folder}/planted-${index}.ts`, source: `${source}\n`, report }))
}

const CLOCK = 'Time comes from an injected clock'
const RANDOM = 'Ids come from injected Ids'
const ENVIRONMENT = 'Only main.ts reads the environment'
const SYNCHRONOUS = 'no-restricted-syntax: domain/ is pure and synchronous.'

const CLOCK_BANS: Bans = {
  'Date.now': ['export const at = Date.now()', CLOCK],
  'Date.now taken out of Date': ['export const { now } = Date', CLOCK],
  'new Date() without argument': ['export const at = new Date()', CLOCK],
  'Date() called': ['export const at = Date()', CLOCK],
  'performance.now': ['export const at = performance.now()', CLOCK],
  'performance of node:perf_hooks': ["export { performance } from 'node:perf_hooks'", CLOCK],
  'process.hrtime': ['export const at = process.hrtime.bigint()', CLOCK],
  'Math.random': ['export const dice = Math.random()', RANDOM],
  'randomUUID of node:crypto': ["import { randomUUID } from 'node:crypto'\nexport const id = randomUUID()", RANDOM],
  'crypto.randomUUID': ['export const id = crypto.randomUUID()', RANDOM],
}

const CONSTANT_TIME = 'What proves something is compared in constant time'
const SHOWN = 'export const proves = (shown: Buffer, row: { digest: Buffer; secret: Buffer }): boolean => '

const TIMING_BANS: Bans = {
  'a digest compared by ===': [`${SHOWN}row.digest === shown`, CONSTANT_TIME],
  'a digest compared from the other side': [`${SHOWN}shown !== row.digest`, CONSTANT_TIME],
  'digests of two rows compared by ===': ['export const same = (row: { digest: string } | undefined, other: { digest: string }): boolean => row?.digest === other.digest', CONSTANT_TIME],
  'a secret compared by equals': [`${SHOWN}row.secret.equals(shown)`, CONSTANT_TIME],
}

const ENVIRONMENT_BANS: Bans = {
  'process.env': ["export const home = process.env['HOME']", ENVIRONMENT],
  'env taken out of process': ['export const { env } = process', ENVIRONMENT],
  'env of node:process': ["export { env } from 'node:process'", ENVIRONMENT],
}

const READ_FILE = "import { readFile } from 'node:fs/promises'\n"

const DOMAIN_BANS: Bans = {
  'async functions in domain/': [`${READ_FILE}export const decide = async () => (await readFile('grants')).length`, SYNCHRONOUS],
  'await in domain/': [`${READ_FILE}export const grants = await readFile('grants')`, SYNCHRONOUS],
  'a Promise in domain/': ['export const decided = Promise.resolve(true)', SYNCHRONOUS],
  'the type Promise in domain/': ['export type Decide = () => Promise<boolean>', SYNCHRONOUS],
  'import() in domain/': ["export const schema = () => import('node:path')", SYNCHRONOUS],
  'a digest compared by === in domain/': [`${SHOWN}shown === row.digest`, CONSTANT_TIME],
  'the clock in domain/': ['export const at = new Date()', CLOCK],
  'a default export in domain/': ['export default 1', 'No default export'],
}

const lines = (count: number, line: (index: number) => string): string => Array.from({ length: count }, (_, index) => line(index)).join('\n')
const constants = (count: number): string => lines(count, (index) => `export const line${index} = ${index}`)
const longFunction = `export function long(add: (n: number) => void) {\n${lines(50, (index) => `  add(${index})`)}\n}`

const NOT_NULL = 'export const first = (all: readonly string[]): string => all[0]!'
const ANY = 'export type Anything = any'
const ASSERTED = 'export const text = (value: unknown): string => value as string'
const FLOATING = 'const work = (): Promise<void> => Promise.resolve()\nwork()\nexport { work }'

const EVERYWHERE: Bans = {
  'export default': ['export default 1', 'No default export'],
  'export { … as default }': ['const one = 1\nexport { one as default }', 'No default export'],
  'export *': ["export * from 'node:path'", 'No export *'],
  'the non-null !': [NOT_NULL, 'no-non-null-assertion'],
  'the definite !': ['export class Late {\n  value!: string\n}', 'No definite assignment'],
  any: [ANY, 'no-explicit-any'],
  as: [ASSERTED, 'consistent-type-assertions'],
  'a switch that leaves a case out': [
    "export function size(of: 'a' | 'b'): number {\n  switch (of) {\n    case 'a':\n      return 1\n  }\n  return 0\n}",
    'switch-exhaustiveness-check',
  ],
  'a switch over everything with a default': [
    'export function size(of: boolean) {\n  switch (of) {\n    case true:\n    case false:\n      return 1\n    default:\n      return 0\n  }\n}',
    'switch-exhaustiveness-check',
  ],
  'a promise that nobody waits for': [FLOATING, 'no-floating-promises'],
  'a promise where none is looked at': [
    'export const each = (all: number[]): void => all.forEach((one) => Promise.resolve(one))',
    'no-misused-promises',
  ],
  'a type imported as a value': ["import { Server } from 'node:net'\nexport type Listening = { server: Server }", 'consistent-type-imports'],
  'more than 250 lines': [constants(251), 'max-lines'],
  'more than 3 parameters': ['export const sum = (a: number, b: number, c: number, d: number): number => a + b + c + d', 'max-params'],
  'blocks nested too deeply': [
    'export function deep(yes: boolean): number {\n  for (;;) {\n    for (;;) {\n      for (;;) {\n        if (yes) return 1\n      }\n    }\n  }\n}',
    'max-depth',
  ],
  'a function of more than 50 lines': [longFunction, 'max-lines-per-function'],
  'a lint rule silenced without a reason': [
    '// eslint-disable-next-line @typescript-eslint/no-explicit-any\nexport type Anything = any',
    'house/says-why',
  ],
  'every lint rule silenced without a reason': ['/* eslint-disable */\nexport type Anything = any', 'house/says-why'],
  'a lint rule silenced where nothing is wrong': [
    '// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a reason\nexport type Something = string',
    'Unused eslint-disable directive',
  ],
}

const IN_TESTS: Bans = {
  'the non-null ! in a test': [NOT_NULL, 'no-non-null-assertion'],
  'any in a test': [ANY, 'no-explicit-any'],
  'as in a test': [ASSERTED, 'consistent-type-assertions'],
  'a promise that nobody waits for in a test': [FLOATING, 'no-floating-promises'],
  'a default export in a test': ['export default 1', 'No default export'],
}

export const PLANTED: readonly Planted[] = [
  ...planted('services/orders/rpc', { ...CLOCK_BANS, ...TIMING_BANS, ...ENVIRONMENT_BANS, ...EVERYWHERE }),
  ...planted('libs', { ...CLOCK_BANS, ...TIMING_BANS, ...ENVIRONMENT_BANS, ...EVERYWHERE }),
  ...planted('services/orders/domain', DOMAIN_BANS),
  ...planted('cli', EVERYWHERE),
  ...planted('deploy/local', EVERYWHERE),
  ...planted('test', IN_TESTS),
  ...planted('bench', IN_TESTS),
  { ban: 'the clock in main.ts', file: 'services/orders/main.ts', source: 'export const at = Date.now()\n', report: CLOCK },
  { ban: 'a main.ts of more than 30 lines', file: 'services/long/main.ts', source: constants(31), report: 'max-lines' },
  { ban: 'an app.ts of more than 150 lines', file: 'services/long/app.ts', source: constants(151), report: 'max-lines' },
]

const READS_THE_CLOCK = 'export const at = [Date.now(), performance.now(), new Date()]\n'
const READS_THE_ENVIRONMENT = "export const home = process.env['HOME']\n"

export const PERMITTED: readonly Permitted[] = [
  { why: 'what is not banned', file: 'services/clean/rpc/clean.ts', source: "export const clean = [new Date(0), Math.max(1, 2), 'a' as const]\n" },
  { why: 'a secret that is not there', file: 'services/clean/rpc/absent.ts', source: "export const kept = (secret: string | undefined): boolean => secret === undefined || secret === 'kept'\n" },
  { why: 'the clock in clock.ts', file: 'libs/clock.ts', source: READS_THE_CLOCK },
  { why: 'randomUUID in ids.ts', file: 'libs/ids.ts', source: "import { randomUUID } from 'node:crypto'\nexport const id = randomUUID()\n" },
  { why: 'the environment in main.ts', file: 'services/clean/main.ts', source: READS_THE_ENVIRONMENT },
  { why: 'the environment in cli/', file: 'cli/environment.ts', source: READS_THE_ENVIRONMENT },
  { why: 'the environment in deploy/local/', file: 'deploy/local/environment.ts', source: READS_THE_ENVIRONMENT },
  { why: 'the environment in tests', file: 'test/environment.ts', source: READS_THE_ENVIRONMENT },
  { why: 'promises in tests of domain/', file: 'services/clean/domain/decide.test.ts', source: 'export const decided = Promise.resolve(true)\n' },
  { why: 'promises in rpc/', file: 'services/clean/rpc/decide.ts', source: 'export const decided = Promise.resolve(true)\n' },
  {
    why: 'a rule silenced with a reason',
    file: 'services/clean/rpc/silenced.ts',
    source: '// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a reason\nexport type Anything = any\n',
  },
  { why: 'long tests', file: 'test/long.test.ts', source: longFunction },
]
