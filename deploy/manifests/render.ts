import { execFile } from 'node:child_process'
import { access, constants, mkdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { ROOT } from './targets.js'

/** Turns a kustomization into one stream of YAML documents. */
export type Renderer = { readonly name: string; render(path: string): Promise<string> }

/** As old as what is in kubectl. Go checks what it downloads against the checksum database. */
const KUSTOMIZE = 'v5.7.1'
const CACHE = join(ROOT, 'node_modules/.cache/countersign')
const BUILD_WITHIN_MILLIS = 600_000
const RENDER_WITHIN_MILLIS = 60_000

type Environment = Readonly<Record<string, string | undefined>>

/** kubectl where there is one, or kustomize, built once where there is Go; undefined where neither is to be had. */
export async function findRenderer(environment: Environment, say: (line: string) => void, cache = CACHE): Promise<Renderer | undefined> {
  await makeCertificates()
  const kubectl = await programOnPath('kubectl', environment)
  if (kubectl !== undefined) return { name: 'kubectl kustomize', render: (path) => run(kubectl, ['kustomize', join(ROOT, path)]) }
  const kustomize = await builtKustomize(environment, say, join(cache, `kustomize-${KUSTOMIZE}`))
  return kustomize === undefined ? undefined : { name: `kustomize ${KUSTOMIZE}`, render: (path) => run(kustomize, ['build', join(ROOT, path)]) }
}

const THROW_AWAY = join(ROOT, 'deploy/kubernetes/overlays/development/throw-away')

/** Those of the development overlay, which are in no repository: whoever uses it makes them, and so does whoever lints it. */
async function makeCertificates(): Promise<void> {
  const isMade = await access(join(THROW_AWAY, 'ca.crt')).then(() => true, () => false)
  if (!isMade) await run('bash', [join(THROW_AWAY, 'make.sh')])
}

async function builtKustomize(environment: Environment, say: (line: string) => void, place: string): Promise<string | undefined> {
  const program = join(place, 'kustomize')
  if (await isProgram(program)) return program
  const go = await programOnPath('go', environment)
  if (go === undefined) return undefined
  say(`There is no kubectl. Building kustomize ${KUSTOMIZE} once, which takes a minute or two …`)
  await mkdir(place, { recursive: true })
  const env = { ...environment, GOBIN: place, CGO_ENABLED: '0' }
  try {
    await run(go, ['install', `sigs.k8s.io/kustomize/kustomize/v5@${KUSTOMIZE}`], { env, timeout: BUILD_WITHIN_MILLIS })
    return program
  } catch (error) {
    say(`kustomize could not be built: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

async function programOnPath(name: string, environment: Environment): Promise<string | undefined> {
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    if (folder !== '' && (await isProgram(join(folder, name)))) return join(folder, name)
  }
  return undefined
}

const isProgram = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  )

type RunOptions = { readonly env?: Environment; readonly timeout: number }

function run(program: string, args: readonly string[], { env, timeout }: RunOptions = { timeout: RENDER_WITHIN_MILLIS }): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { ...(env && { env }), timeout, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error !== null) reject(new Error(stderr.trim() === '' ? error.message : stderr.trim(), { cause: error }))
      // A warning is of something that kustomize will not do for long.
      else if (stderr.includes('Warning')) reject(new Error(stderr.trim()))
      else resolve(stdout)
    })
  })
}
