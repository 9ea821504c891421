import { execFile } from 'node:child_process'
import { access, chmod, constants, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'

// A program from Debian's packages, in a folder of ours: apt-get resolves and downloads with a state of its own, and dpkg-deb
// unpacks. Neither asks for root, and the system's own packages and lists stay as they are.

const WITHIN_MILLIS = 120_000
const UNFINISHED = '.unpacking-'

// What a system runs after an update of its own lists is not for ours: in a container it empties the caches of others.
const APT_CONFIGURATION = `#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Sandbox::User "";
Debug::NoLocking "1";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::http::Timeout "15";
Acquire::https::Timeout "15";
Acquire::Retries "1";
`

export type Wanted = {
  /** What a user calls it, and how much is downloaded for it. */
  readonly name: string
  readonly size: string
  readonly packageName: string
  /** Where the package has the program, such as `usr/bin/redis-server`. */
  readonly path: string
}

export type Unpacking = { readonly folder: string; readonly aptGet: string | undefined; readonly say: (line: string) => void }

const wrapperOf = ({ path }: Wanted): string => join('bin', basename(path))

/** The program in `folder`, downloaded and unpacked there if need be; undefined where there is neither it nor apt-get. */
export async function unpackedPackage(wanted: Wanted, { folder, aptGet, say }: Unpacking): Promise<string | undefined> {
  const target = resolve(folder)
  const wrapper = wrapperOf(wanted)
  const program = join(target, wrapper)
  if (await runs(program)) return program
  if (aptGet === undefined) return undefined
  await mkdir(dirname(target), { recursive: true })
  await removeUnfinished(target)
  const workshop = await mkdtemp(`${target}${UNFINISHED}${process.pid}-`)
  try {
    say(`There is no ${wanted.name} on this machine. Getting one from Debian's packages, ${wanted.size}, into ${target} …`)
    const packages = await download(aptGet, wanted.packageName, workshop)
    const unpacked = join(workshop, 'unpacked')
    for (const file of packages) await run('dpkg-deb', ['-x', file, unpacked], workshop)
    await writeWrapper(unpacked, wanted)
    const failure = await failureOf(join(unpacked, wrapper))
    if (failure !== undefined) throw new Error(`what was unpacked does not run (${failure})`)
    await chmod(unpacked, 0o755)
    await putInPlace(unpacked, target, wrapper)
    return program
  } finally {
    await rm(workshop, { recursive: true, force: true })
  }
}

async function download(program: string, packageName: string, workshop: string): Promise<string[]> {
  for (const directory of ['lists/partial', 'cache/archives/partial']) await mkdir(join(workshop, directory), { recursive: true })
  await writeFile(join(workshop, 'apt.conf'), APT_CONFIGURATION)
  const places = { 'Dir::State::lists': 'lists', 'Dir::Cache': 'cache' }
  const options = Object.entries(places).flatMap(([name, place]) => ['-o', `${name}=${join(workshop, place)}`])
  const aptGet = (...args: string[]) => run(program, ['-c', join(workshop, 'apt.conf'), ...options, ...args], workshop)
  await aptGet('update')
  // It names what this system lacks: each line is 'URI' FILE SIZE DIGEST.
  const plan = await aptGet('install', '--print-uris', '--yes', '--no-install-recommends', packageName)
  const names = [...plan.matchAll(/^'[^']+' ([a-z0-9.+-]+)_\S+\.deb /gm)].map(([, name = '']) => name)
  if (names.length === 0) throw new Error('apt-get names no package to download')
  await aptGet('download', ...names)
  return (await readdir(workshop)).filter((name) => name.endsWith('.deb')).map((name) => join(workshop, name))
}

// The program is found with its libraries wherever the folder is, also by its bare name on a PATH.
async function writeWrapper(unpacked: string, wanted: Wanted): Promise<void> {
  const libraries = await readdir(join(unpacked, 'usr/lib')).catch(() => [])
  const path = ['usr/lib', ...libraries.filter((name) => name.includes('-linux-gnu')).map((name) => `usr/lib/${name}`)]
  const script = `#!/bin/sh
here=$(dirname "$(dirname "$(readlink -f "$0")")")
export LD_LIBRARY_PATH="${path.map((name) => `$here/${name}`).join(':')}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
exec "$here/${wanted.path}" "$@"
`
  await mkdir(join(unpacked, dirname(wrapperOf(wanted))), { recursive: true })
  await writeFile(join(unpacked, wrapperOf(wanted)), script, { mode: 0o755 })
}

// Only a whole folder gets its name. Another process may have been faster.
async function putInPlace(unpacked: string, target: string, wrapper: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await rename(unpacked, target)
      return
    } catch (error) {
      if (await runs(join(target, wrapper))) return
      if (attempt === 3) throw error
      await rm(target, { recursive: true, force: true })
    }
  }
}

// What a start that was killed has left; another one may be unpacking at this moment.
async function removeUnfinished(target: string): Promise<void> {
  const prefix = `${basename(target)}${UNFINISHED}`
  for (const name of (await readdir(dirname(target))).filter((one) => one.startsWith(prefix))) {
    const [pid = ''] = name.slice(prefix.length).split('-')
    if (!(await exists(`/proc/${pid}`))) await rm(join(dirname(target), name), { recursive: true, force: true })
  }
}

/** Whether the program is there and starts: a library that it needs may be missing. */
export async function runs(program: string): Promise<boolean> {
  return (await failureOf(program)) === undefined
}

async function failureOf(program: string): Promise<string | undefined> {
  try {
    await access(program, constants.X_OK)
    await run(program, ['--version'], dirname(program))
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  return new Promise((done, fail) => {
    const env = { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', HOME: cwd }
    const child = execFile(program, args, { cwd, env, timeout: WITHIN_MILLIS, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      process.off('exit', kill)
      if (error === null) done(stdout)
      else fail(new Error(`${basename(program)} failed: ${(stderr.trim() === '' ? error.message : stderr.trim()).split('\n').slice(-2).join(' | ')}`, { cause: error }))
    })
    const kill = () => void child.kill('SIGKILL')
    process.prependListener('exit', kill)
  })
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
