import { lchown, mkdir, mkdtemp, open, readdir, readFile, readlink, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '#libs/causes.js'
import { type Launcher, type Owner, type Program } from './postgres-binaries.js'

// The data directory before the server starts: a whole one that belongs to the right user and that nobody else serves.

export type DataDirectory = {
  readonly dataDir: string
  readonly launcher: Launcher
  readonly password: string
  readonly durable: boolean
  readonly log: (line: string) => void
}

/** Makes the directory if it isn't there, and stops a server that an earlier run left behind on it. */
export async function prepareData(data: DataDirectory): Promise<void> {
  await stopLeftOver(data.dataDir, data.log)
  try {
    await removeUnfinished(data.dataDir)
    if (await isInitialized(data.dataDir)) await giveAll(data.dataDir, data.launcher.owner)
    else await initialize(data)
  } catch (error) {
    throw new Error(`PostgreSQL can't keep its data in ${data.dataDir}: ${messageOf(error)}`, { cause: error })
  }
}

/** Stops the server that postmaster.pid names, if it is a live one of this very directory; forgets one that isn't. */
export async function stopLeftOver(dataDir: string, log: (line: string) => void): Promise<void> {
  const pidFile = join(dataDir, 'postmaster.pid')
  const [line = ''] = (await readFile(pidFile, 'utf8').catch(() => '')).split('\n')
  const pid = Number(line)
  if (line === '') return
  if (!(await serves(pid, dataDir))) {
    // By then the number may be another process, or a zombie, which would keep PostgreSQL from starting. Its own processes
    // that outlived a postmaster are still noticed by the shared memory that they hold.
    await rm(pidFile, { force: true }).catch(() => undefined)
    return
  }
  log(`stopping PostgreSQL (process ${pid}), which an earlier run left behind`)
  for (const [signal, millis] of [['SIGINT', 10_000], ['SIGQUIT', 5_000], ['SIGKILL', 5_000]] as const) {
    if (await endsWithin(pid, dataDir, { signal, millis })) return
  }
  throw new Error(`PostgreSQL (process ${pid}), which an earlier run left behind on ${dataDir}, does not stop: end it by hand.`)
}

async function endsWithin(pid: number, dataDir: string, { signal, millis }: { signal: NodeJS.Signals; millis: number }): Promise<boolean> {
  try {
    process.kill(pid, signal)
  } catch {
    // It has just ended, or it isn't ours to end: which of the two shows below.
  }
  for (let waited = 0; waited < millis; waited += 50) {
    await sleep(50)
    if (!(await serves(pid, dataDir))) return true
  }
  return false
}

// A postmaster works in its data directory, under whatever name that was given; a zombie works nowhere.
async function serves(pid: number, dataDir: string): Promise<boolean> {
  if (!Number.isSafeInteger(pid) || pid <= 1) return false
  try {
    const [name, workplace] = [await readFile(`/proc/${pid}/comm`, 'utf8'), await readlink(`/proc/${pid}/cwd`)]
    return name.trim() === 'postgres' && workplace === (await realpath(dataDir))
  } catch {
    return false
  }
}

const unfinishedPrefix = (dataDir: string): string => `${basename(dataDir)}.initdb-`

async function removeUnfinished(dataDir: string): Promise<void> {
  const parent = dirname(dataDir)
  const names = await readdir(parent)
  const unfinished = names.filter((name) => name.startsWith(unfinishedPrefix(dataDir)))
  // An initdb that outlived its parent may still be writing: what is left is removed at the next start.
  await Promise.all(unfinished.map((name) => rm(join(parent, name), { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined)))
}

async function isInitialized(dataDir: string): Promise<boolean> {
  const names = await readdir(dataDir).catch((error: unknown): string[] => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  })
  if (names.length > 0 && !names.includes('PG_VERSION')) throw new Error('it holds something else; move that away')
  return names.length > 0
}

// Only a whole directory gets its name: a crash leaves one that the next start removes.
async function initialize({ dataDir, launcher, password, durable, log }: DataDirectory): Promise<void> {
  const parent = dirname(dataDir)
  const workshop = await mkdtemp(join(parent, unfinishedPrefix(dataDir)))
  try {
    const passwordFile = join(workshop, 'password')
    await writeFile(passwordFile, password, { mode: 0o600 })
    await giveAll(workshop, launcher.owner)
    log('creating a PostgreSQL database cluster')
    const unfinished = join(workshop, 'data')
    const access = ['-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`]
    const program = launcher.start('initdb', ['-D', unfinished, ...access, '-E', 'UTF8', '--locale=C', ...(durable ? [] : ['--no-sync'])])
    await finished(program)
    await rename(unfinished, dataDir)
    if (durable) await syncDirectory(parent)
  } finally {
    await rm(workshop, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function finished(program: Program): Promise<void> {
  const said: string[] = []
  program.stdout.resume()
  program.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()))
  const kill = () => void program.kill('SIGKILL')
  process.prependListener('exit', kill)
  try {
    const code = await new Promise<number | null>((done, fail) => {
      program.once('error', fail)
      program.once('close', done)
    })
    if (code !== 0) throw new Error(`initdb failed: ${said.join('').trim().split('\n').slice(-3).join(' | ')}`)
  } finally {
    process.off('exit', kill)
  }
}

/** The directory that the data directory is in, made if it is missing. */
export async function ensureParent(dataDir: string): Promise<string> {
  const parent = dirname(dataDir)
  await mkdir(parent, { recursive: true }).catch((error: unknown) => {
    throw new Error(`PostgreSQL can't keep its data in ${dataDir}: ${messageOf(error)}`, { cause: error })
  })
  return parent
}

// The directory itself comes last: while it isn't the owner's, what it holds may not be either.
async function giveAll(directory: string, owner: Owner | undefined): Promise<void> {
  if (owner === undefined || (await stat(directory)).uid === owner.uid) return
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    await lchown(join(entry.parentPath, entry.name), owner.uid, owner.gid)
  }
  await lchown(directory, owner.uid, owner.gid)
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
