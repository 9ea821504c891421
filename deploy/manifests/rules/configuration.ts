import { Secret } from 'kubernetes-models/v1/Secret'
import { environmentOf, fileAt } from '../environment.js'
import { NODE_VARIABLES, type Program, programOf, SECRET_VARIABLES } from '../programs.js'
import { isAt, type PlacedContainer, type Rendering } from '../rendering.js'
import { perContainer, perObject, type Rule, type Verdict } from '../rule.js'

/** The variable that a name sets: itself, or what NAME_FILE holds. */
function variableOf({ variables }: Program, name: string): string | undefined {
  if (name in variables) return name
  const [, base = ''] = /^(.+)_FILE$/.exec(name) ?? []
  return base in variables ? base : undefined
}

const perProgram = (name: string, judge: (program: Program, placed: PlacedContainer, rendering: Rendering) => Verdict[]): Rule =>
  perContainer(name, (placed, rendering) => {
    const program = programOf(placed.container)
    return program && judge(program, placed, rendering)
  })

const variablesAreKnown = perProgram('variables-are-known', (program, placed, rendering) =>
  [...environmentOf(rendering, placed).keys()].map(
    (name) => variableOf(program, name) === undefined && !NODE_VARIABLES.includes(name) && `${program.name} knows no variable ${name}: correct its name or remove it`,
  ),
)

const variablesAreComplete = perProgram('variables-are-complete', (program, placed, rendering) => {
  const given = new Set([...environmentOf(rendering, placed).keys()].map((name) => variableOf(program, name)))
  return Object.entries(program.variables).map(([name, schema]) => !given.has(name) && !schema.safeParse(undefined).success && `${program.name} does not start without ${name}: set it or ${name}_FILE`)
})

/** A value, or the content of the file that is named in its place, as far as it is known here. */
function contentOf(name: string, variable: string, { placed, rendering }: { placed: PlacedContainer; rendering: Rendering }): string | undefined {
  const value = environmentOf(rendering, placed).get(name)
  if (name === variable || value === undefined) return value
  const file = fileAt(rendering, placed, value)
  return 'content' in file ? file.content : undefined
}

const variablesAreValid = perProgram('variables-are-valid', (program, placed, rendering) =>
  [...environmentOf(rendering, placed).keys()].map((name) => {
    const variable = variableOf(program, name)
    const content = variable === undefined ? undefined : contentOf(name, variable, { placed, rendering })
    const issue = variable !== undefined && content !== undefined ? program.variables[variable]?.safeParse(content).error?.issues[0] : undefined
    return issue && `${name}: ${issue.message}`
  }),
)

const TLS_VARIABLES = ['TLS_CERTIFICATE_FILE', 'TLS_KEY_FILE', 'TLS_CA_FILE']

const listensByTls = perProgram('listens-by-tls', ({ isService }, placed, rendering) => {
  const environment = environmentOf(rendering, placed)
  return TLS_VARIABLES.map((name) => isService && !environment.has(name) && `set ${name}: tokens and credentials cross the network`)
})

const filesAreMounted = perContainer('files-are-mounted', (placed, rendering) =>
  [...environmentOf(rendering, placed)].map(([name, value]) => {
    const file = name.endsWith('_FILE') && value !== undefined ? fileAt(rendering, placed, value) : undefined
    return file && 'problem' in file && `${name}: ${file.problem}`
  }),
)

/** A list of nobody. */
const NOBODY = '[]'

const secretsComeAsFiles = perContainer('secrets-come-as-files', ({ workload, container }, rendering) => [
  ...[...environmentOf(rendering, { workload, container })].map(([name, value]) => {
    const isSecret = (SECRET_VARIABLES.includes(name) && value !== NOBODY) || /PASSWORD$|SECRET$|TOKEN$/.test(name) || /:\/\/[^/@\s]*:[^/@\s]+@/.test(value ?? '')
    return isSecret && `mount the Secret and set ${name}_FILE instead of ${name}: an environment is read by whoever sees the process`
  }),
  ...(container.env ?? []).map(({ name, valueFrom }) => valueFrom?.secretKeyRef && `mount the Secret and set ${name}_FILE instead of taking ${name} from a Secret`),
  ...(container.envFrom ?? []).map(({ secretRef }) => secretRef && `mount the Secret ${secretRef.name} instead of taking variables from it`),
])

const configMapIsThere = perContainer('config-map-is-there', ({ workload: { namespace }, container }, { objects }) =>
  (container.envFrom ?? []).map(({ configMapRef }) => {
    const isThere = objects.some((object) => object.kind === 'ConfigMap' && isAt({ namespace, name: configMapRef?.name ?? '' })(object))
    return configMapRef && !isThere && `there is no ConfigMap ${configMapRef.name}`
  }),
)

const portsAreListenedOn = perProgram('ports-are-listened-on', ({ isService }, placed, rendering) => {
  const configured = [...environmentOf(rendering, placed)].filter(([name]) => name.endsWith('_PORT'))
  const declared = (placed.container.ports ?? []).map(({ containerPort }) => String(containerPort))
  if (!isService) return []
  return [
    ...declared.map((port) => !configured.some(([, value]) => value === port) && `no variable makes it listen on ${port}: change the port or the variable`),
    ...configured.map(([name, value = '']) => !declared.includes(value) && `add ${name} (${value}) to its ports`),
  ]
})

const noThrowAwaySecrets = perObject(
  'no-throw-away-secrets',
  Secret.is,
  ({ metadata }, { target }) => !target.development && metadata?.labels?.['countersign.dev/throw-away'] !== undefined && 'remove it: everybody can read it in the repository',
)

const secretsAreMarked = perObject(
  'secrets-are-marked',
  Secret.is,
  ({ metadata }) => metadata?.labels?.['countersign.dev/throw-away'] !== 'true' && 'no real secret belongs into a repository; label it countersign.dev/throw-away: "true" if it is none',
)

export const configurationRules: readonly Rule[] = [
  ...[variablesAreKnown, variablesAreComplete, variablesAreValid, listensByTls, filesAreMounted, secretsComeAsFiles],
  ...[configMapIsThere, portsAreListenedOn, noThrowAwaySecrets, secretsAreMarked],
]
