import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

// What imports can't carry (.dependency-cruiser.cjs) and types can't say. test/house/lint-bans.test.ts plants one violation
// of each ban: a linter that looks at nothing is green. A later block replaces the options of an earlier one, so every
// list below is spread into the next.

const TYPESCRIPT = ['**/*.ts']
const TESTS = ['**/*.test.ts', 'test/**', 'bench/**']
const SERVICES_AND_LIBS = ['services/**', 'libs/**']

const moduleBans = [
  { selector: 'ExportDefaultDeclaration', message: 'No default export: a thing has one name.' },
  { selector: "ExportSpecifier[exported.name='default']", message: 'No default export: a thing has one name.' },
  { selector: 'ExportAllDeclaration', message: 'No export *: say what is exported.' },
]
const definiteBan = { selector: '[definite=true]', message: 'No definite assignment: give it a value.' }
const everywhere = [...moduleBans, definiteBan]

const CLOCK = 'Time comes from an injected clock (libs/clock.ts).'
const RANDOM = 'Ids come from injected Ids (libs/ids.ts), secrets from randomBytes.'
const clockBans = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: CLOCK },
  { selector: "CallExpression[callee.name='Date']", message: CLOCK },
]
const clockProperties = [
  { object: 'Date', property: 'now', message: CLOCK },
  { object: 'performance', property: 'now', message: CLOCK },
  { object: 'process', property: 'hrtime', message: CLOCK },
  { object: 'Math', property: 'random', message: RANDOM },
  { property: 'randomUUID', message: RANDOM },
]
const clockImports = [
  ...['node:crypto', 'crypto'].map((name) => ({ name, importNames: ['randomUUID'], message: RANDOM })),
  ...['node:perf_hooks', 'perf_hooks'].map((name) => ({ name, importNames: ['performance'], message: CLOCK })),
]

const ENVIRONMENT = 'Only main.ts reads the environment; the rest is given its configuration.'
const environmentProperties = [{ object: 'process', property: 'env', message: ENVIRONMENT }]
const environmentImports = ['node:process', 'process'].map((name) => ({ name, importNames: ['default', 'env'], message: ENVIRONMENT }))

const SYNCHRONOUS = 'domain/ is pure and synchronous.'
const asyncBans = [':function[async=true]', 'AwaitExpression', 'ImportExpression', 'Identifier[name=/^(Promise|PromiseLike|AsyncIterable)$/]'].map(
  (selector) => ({ selector, message: SYNCHRONOUS }),
)

// Whoever can time a comparison that ends at the first difference finds the rest byte by byte.
const CONSTANT_TIME = 'What proves something is compared in constant time: sameBytes, or timingSafeEqual.'
const PROVES = '/(digest|hash|mac|signature|secret|password)$/i'
const timingBans = [
  ...['left.name', 'left.property.name', 'right.name', 'right.property.name'].map((side) => {
    const other = side.startsWith('left') ? 'right' : 'left'
    return `BinaryExpression[operator=/^[!=]==$/][${side}=${PROVES}]:not([${other}.type='Identifier'][${other}.name='undefined']):not([${other}.type='Literal'])`
  }),
  `CallExpression[callee.property.name='equals']:matches([callee.object.name=${PROVES}], [callee.object.property.name=${PROVES}])`,
].map((selector) => ({ selector, message: CONSTANT_TIME }))

const saysWhy = {
  create: (context) => ({
    Program() {
      for (const comment of context.sourceCode.getAllComments()) {
        // Reported before the line's first column, where the comment itself can't silence it.
        const loc = { start: { line: comment.loc.start.line, column: -1 }, end: comment.loc.end }
        if (/^\s*eslint-disable/.test(comment.value) && !/\s--\s+\S/.test(comment.value)) context.report({ loc, messageId: 'reason' })
      }
    },
  }),
  meta: { type: 'problem', messages: { reason: 'Say why: eslint-disable-next-line RULE -- REASON.' }, schema: [] },
}

const config = defineConfig(
  { ignores: ['dist/', 'coverage/', 'libs/wire/gen/'] },
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { house: { rules: { 'says-why': saysWhy } } },
    rules: {
      'house/says-why': 'error',
      'max-lines': ['error', 250],
      eqeqeq: 'error',
      'no-control-regex': 'error',
      'no-constant-binary-expression': 'error',
      'no-unsafe-finally': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: TYPESCRIPT,
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      'no-restricted-syntax': ['error', ...everywhere],
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { allowDefaultCaseForExhaustiveSwitch: false }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // A class may be a mere marker, and the characters of a string are its code points.
      '@typescript-eslint/no-extraneous-class': ['error', { allowEmpty: true }],
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // A column type says what may be inserted and updated, also where that is what Kysely would assume.
      '@typescript-eslint/no-unnecessary-type-arguments': 'off',
      '@typescript-eslint/max-params': ['error', { max: 3 }],
      'max-depth': ['error', 3],
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: SERVICES_AND_LIBS,
    ignores: ['libs/clock.ts', 'libs/ids.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...everywhere, ...clockBans, ...timingBans],
      'no-restricted-properties': ['error', ...clockProperties, ...environmentProperties],
      'no-restricted-imports': ['error', { paths: [...clockImports, ...environmentImports] }],
    },
  },
  {
    files: ['services/*/main.ts'],
    rules: {
      'max-lines': ['error', 30],
      'no-restricted-properties': ['error', ...clockProperties],
      'no-restricted-imports': ['error', { paths: clockImports }],
    },
  },
  {
    files: ['services/*/domain/**'],
    ignores: TESTS,
    rules: { 'no-restricted-syntax': ['error', ...everywhere, ...clockBans, ...timingBans, ...asyncBans] },
  },
  {
    files: TESTS,
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/max-params': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      // A fake satisfies a port whether or not it has to wait.
      '@typescript-eslint/require-await': 'off',
    },
  },
  // Wiring is read top to bottom in one piece.
  { files: ['services/*/app.ts'], rules: { 'max-lines': ['error', 150], 'max-lines-per-function': 'off' } },
  { files: ['vitest.config.ts'], rules: { 'no-restricted-syntax': ['error', definiteBan] } },
)

// ESLint reads the default export, as vitest reads that of vitest.config.ts; nothing else in the house has one.
export { config as default }
