import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import type { KubernetesObject } from '../../deploy/manifests/schema.js'
import { commandLineVariables } from '../../cli/variables.js'
import { type Target } from '../../deploy/manifests/targets.js'

// What a line for a cluster names, held to the objects that are rendered and to what was made before.

export type Known = { readonly objects: readonly KubernetesObject[]; readonly target: Target; /** Where paths are looked for. */ readonly folder: string }

const KINDS: Readonly<Record<string, string>> = { deployment: 'Deployment', job: 'Job', service: 'Service', hpa: 'HorizontalPodAutoscaler' }
const LISTED = [...Object.keys(KINDS), 'pods', 'pod']
const FLAGS = /^(?:--for=condition=(?:complete|available)|--timeout=\d+m|--type=kubernetes\.io\/tls)$/

/** What is wrong with a line; nothing, where all that it names is there. */
export function problemsOfLine(line: string, known: Known): string[] {
  const [program, ...given] = line.replace(/ &$/, '').split(/\s+/)
  const words = given[0] === '-n' ? given.slice(2) : given
  const wrong = (what: string) => `${line}: ${what}`
  if (program === 'export') return given.flatMap((pair) => problemsOfVariable(pair, known)).map(wrong)
  // That there is such a command is seen of every line that has one.
  if (line.startsWith('npx countersign ')) return []
  if (program !== 'kubectl') return [wrong('is no kubectl line')]
  const outside = given[0] === '-n' && !isThere(known, 'Namespace', given[1] ?? '') ? [wrong(`there is no namespace ${given[1] ?? ''}`)] : []
  const judge = VERBS[words[0] ?? '']
  return judge ? [...outside, ...judge(words.slice(1), known).map(wrong)] : [wrong(`nothing here knows ${words[0] ?? ''}`)]
}

/** One that the command line reads, and where it names a file, one that was made before. */
function problemsOfVariable(pair: string, { folder }: Known): string[] {
  const [name = '', value = ''] = pair.split('=')
  if (!(name in commandLineVariables) && !(name.replace(/_FILE$/, '') in commandLineVariables)) return [`nothing reads ${name}`]
  return name.endsWith('_FILE') && !existsSync(join(folder, value)) ? [`${value} is not there`] : []
}

type Judge = (words: readonly string[], known: Known) => string[]

const VERBS: Readonly<Record<string, Judge>> = {
  apply: ([flag, path = ''], { folder }) => ((flag === '-f' || flag === '-k') && existsSync(join(folder, path, ...(flag === '-k' ? ['kustomization.yaml'] : []))) ? [] : [`${path} is not there`]),
  create: ([secret, generic, name = '', ...flags], known) => (secret === 'secret' && generic === 'generic' ? problemsOfSecret(name, flags, known) : ['makes no Secret']),
  get: (kinds) => kinds.filter((kind) => !LISTED.includes(kind)).map((kind) => `${kind} is nothing of ours`),
  label: ([kind, , label = ''], { objects }) => (kind === 'namespace' && JSON.stringify(objects).includes(JSON.stringify(Object.fromEntries([label.split('=')]))) ? [] : [`no policy looks for ${label}`]),
  logs: named,
  'port-forward': ([name = '', ...ports], known) => [...named([name], known), ...ports.filter((pair) => !portsOf(name, known).includes(Number(pair.split(':')[1]))).map((pair) => `${name} has no port ${pair}`)],
  rollout: ([verb = '', ...names], known) => (['status', 'restart', 'undo'].includes(verb) ? named(names, known) : [`there is no rollout ${verb}`]),
  wait: (words, known) => [...words.filter((word) => word.startsWith('--') && !FLAGS.test(word)).map((word) => `${word} is unknown`), ...named(words.filter((word) => !word.startsWith('--')), known)],
}

const isThere = ({ objects }: Known, kind: string, name: string): boolean => objects.some((object) => object.kind === kind && object.metadata.name === name)

function named(words: readonly string[], known: Known): string[] {
  return words.flatMap((word) => {
    const [short = '', name = ''] = word.split('/')
    return isThere(known, KINDS[short] ?? '', name) ? [] : [`there is no ${word}`]
  })
}

function portsOf(word: string, { objects }: Known): number[] {
  const deployment = objects.filter((object) => Deployment.is(object)).find(({ metadata }) => word === `deployment/${metadata.name}`)
  return (deployment?.spec?.template.spec?.containers ?? []).flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort))
}

/** It is one that the manifests mount, and has the keys that they look for. */
function problemsOfSecret(name: string, flags: readonly string[], { target, folder }: Known): string[] {
  const expected = target.expects.get(name)
  if (!expected) return [`nothing mounts a Secret ${name}`]
  const from = flags.flatMap((flag) => /^--from-file=(.+)$/.exec(flag)?.[1] ?? [])
  const keys = from.flatMap((path) => readdirSync(join(folder, path))).sort()
  const unknown = flags.filter((flag) => !flag.startsWith('--from-file=') && !FLAGS.test(flag)).map((flag) => `${flag} is unknown`)
  return keys.join() === [...expected].sort().join() ? unknown : [`${name} has ${keys.join(', ')} and is to have ${expected.join(', ')}`]
}
