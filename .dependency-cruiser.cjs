// The import rules of the house. test/house/import-rules.test.ts plants a violation of each edge: a linter that looks at
// nothing is green. An edge breaks one rule, so a path that another rule judges is left out here and there.

const TEST = '\\.test\\.ts$'
const OWN = '^services/$1/'
const OTHER_SERVICE = '^services/(?!$1/)'
const WIRE = '^libs/wire/'
const PORTS = { path: '^services/([^/]+)/ports\\.ts$' }
const ENTRANCES = ['^services/[^/]+/main\\.ts$', '^cli/(?:countersign\\.js|main\\.ts)$', '^deploy/local/(?:start\\.mjs|main\\.ts)$', '^deploy/(?:database|manifests)/main\\.ts$', '^deploy/kubernetes/.*/application\\.mjs$']

const inRoom = (...rooms) => ({ path: `^services/([^/]+)/(?:${rooms.join('|')})/`, pathNot: TEST })
const rule = (name, comment, edges) => edges.map((edge) => ({ name, comment, severity: 'error', ...edge }))

/** Whoever may import but a few things: everything else, except what other rules judge. */
const onlyTo = (...allowed) => ({ pathNot: [OTHER_SERVICE, WIRE, '^(?:cli|deploy|bench|test)/', ...allowed] })
const ownRooms = (...rooms) => ({ path: `${OWN}(?:${rooms.join('|')})/` })
const valuesOf = (path) => ({ path, dependencyTypesNot: ['type-only'] })

const CONNECTORS = '^libs/(?:postgres/database|redis/redis-store|rpc/server|env|lifecycle|service-process)\\.ts$'

module.exports = {
  forbidden: [
    ...rule('services-are-islands', 'Services, and whoever uses them, reach a service by gRPC only.', [
      { from: { path: '^services/([^/]+)/' }, to: { path: OTHER_SERVICE } },
      { from: { path: '^cli/' }, to: { path: '^services/' } },
      { from: { path: '^services/', pathNot: TEST }, to: { path: '^(?:cli|deploy|bench|test)/' } },
    ]),
    ...rule('libs-know-no-service', 'Libs serve every service and know none.', [
      { from: { path: '^libs/' }, to: { path: '^(?:services|cli|deploy|bench)/' } },
      { from: { path: '^libs/', pathNot: TEST }, to: { path: '^test/' } },
    ]),
    ...rule('domain-is-pure', 'domain/ decides over plain data: no I/O, no time, no wire.', [
      { from: inRoom('domain'), to: onlyTo(`${OWN}domain/`, '^libs/(?:domain-error|fields)\\.ts$', '^libs/rules/', '^(?:node:)?(?:crypto|zlib)$') },
    ]),
    ...rule('store-is-only-sql', 'store/ turns domain values into statements and rows into domain values.', [
      {
        from: inRoom('store'),
        to: onlyTo(`${OWN}(?:domain|store)/`, '^libs/(?:postgres/|freshness/(?:append|stamp)\\.ts$|batches\\.ts$|domain-error\\.ts$|rules/)', '(?:^|/)kysely/'),
      },
      { from: inRoom('store'), to: valuesOf('^libs/(?:freshness/stamp\\.ts$|rules/)') },
    ]),
    ...rule('rooms-do-not-reach-sideways', 'A layer knows the port that it fills and the port below it, and no other room.', [
      { from: inRoom('cache'), to: ownRooms('store', 'peers', 'rpc', 'jobs', 'methods', 'signing') },
      { from: inRoom('cache'), to: valuesOf('^libs/(?:postgres|rpc)/') },
      { from: inRoom('peers'), to: ownRooms('store', 'cache', 'rpc', 'jobs', 'methods', 'signing') },
      { from: inRoom('peers'), to: valuesOf('^libs/(?:postgres|redis)/') },
      { from: inRoom('methods'), to: ownRooms('cache', 'peers', 'rpc', 'jobs', 'signing') },
      { from: inRoom('signing'), to: ownRooms('cache', 'peers', 'rpc', 'jobs', 'methods') },
      { from: inRoom('jobs'), to: ownRooms('cache', 'peers', 'rpc', 'methods') },
      { from: inRoom('operations'), to: ownRooms('cache', 'peers', 'rpc', 'jobs', 'signing') },
      // A port is types; the one thing that it takes from store/ is what a database handle is.
      { from: PORTS, to: { path: OWN, pathNot: `${OWN}(?:domain/|(?:store/schema|app|main|config)\\.ts$)` } },
      { from: PORTS, to: valuesOf(`^libs/(?!wire/)|${OWN}(?:domain/|store/schema\\.ts$)`) },
    ]),
    ...rule('rpc-sees-ports-not-layers', 'A handler is given its ports; which layers fill them is the business of app.ts.', [
      { from: inRoom('rpc'), to: ownRooms('cache', 'peers', 'jobs', 'methods', 'signing') },
    ]),
    ...rule('only-app-wires', 'app.ts alone constructs and connects: reading it is reading the architecture.', [
      {
        from: { path: '^services/([^/]+)/(?:[^/]+/|ports\\.ts$|config\\.ts$)', pathNot: TEST },
        to: { path: `${OWN}(?:app|main|config)\\.ts$` },
      },
      { from: { path: '^services/([^/]+)/config\\.ts$' }, to: { path: OWN, pathNot: `${OWN}(?:domain|signing)/` } },
      { from: { path: '^services/([^/]+)/main\\.ts$' }, to: { path: OWN, pathNot: `${OWN}(?:app|config)\\.ts$` } },
      { from: { path: '^deploy/' }, to: { path: '^services/', pathNot: '^services/[^/]+/(?:(?:app|config|domain/client-secret|store/migrations)\\.ts$|operations/)' } },
      // What an operator does to the database itself is the service's own doing, and no part of the running service.
      { from: { path: '^(?:services/(?!.*/operations/)|deploy/(?!database/))', pathNot: TEST }, to: { path: '^services/[^/]+/operations/' } },
      { from: { path: '^services/[^/]+/(?!domain/|store/)[^/]+/', pathNot: TEST }, to: valuesOf(CONNECTORS) },
      { from: inRoom('rpc', 'jobs', 'methods', 'signing'), to: valuesOf('^libs/rpc/client\\.ts$') },
    ]),
    ...rule('wire-stays-at-the-edge', 'Wire types end where a message becomes a domain value.', [
      {
        from: {
          path: '^(?:services|libs)/',
          pathNot: ['^services/[^/]+/(?:rpc|peers)/', '^services/[^/]+/app\\.ts$', '^libs/(?:rpc|wire)/', '^libs/authorization\\.ts$'],
        },
        to: { path: WIRE },
      },
    ]),
    ...rule('no-cycles', 'What needs each other is one thing.', [{ from: {}, to: { circular: true } }]),
    ...rule('no-orphans', 'What nothing but a test imports is dead.', [
      {
        from: { pathNot: [TEST, '^test/'] },
        module: {
          path: '^(?:libs|services|cli|deploy)/',
          pathNot: [TEST, '^libs/wire/gen/', ...ENTRANCES],
          numberOfDependentsLessThan: 1,
        },
      },
    ]),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(?:dist|coverage)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['development', 'import', 'types', 'default'] },
  },
}
