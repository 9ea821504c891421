import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** Everything that `npm start` keeps, in one folder. */
export type DataFolder = {
  readonly path: string
  readonly postgres: string
  readonly redis: string
  readonly secrets: string
  readonly admin: string
  /** Where the running services are; there while they run. */
  readonly addresses: string
  /** How to get at PostgreSQL and Redis, passwords included; there while they run. */
  readonly stores: string
  readonly logs: string
  /** Lets the next `npm start` have the folder. */
  release(): void
}

/** Makes the folder if it is not there, and takes it: two systems on one folder would destroy each other's data. */
export function takeDataFolder(given: string): DataFolder {
  const path = resolve(given)
  const at = (name: string) => join(path, name)
  try {
    // Others may pass through, as the user has to whom PostgreSQL belongs where root starts it; every file in it is closed to them.
    mkdirSync(path, { recursive: true, mode: 0o711 })
    mkdirSync(at('log'), { recursive: true, mode: 0o700 })
    writeFileSync(at('writable'), '')
    rmSync(at('writable'))
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    throw new Error(`Can't write to the data folder ${path} (${problem}). Make it writable, or choose another with --data DIR.`, { cause: error })
  }
  lock(at('lock'), path)
  return {
    path,
    postgres: at('postgres'),
    redis: at('redis'),
    secrets: at('secrets.json'),
    admin: at('admin.json'),
    addresses: at('addresses.json'),
    stores: at('stores.json'),
    logs: at('log'),
    release: () => {
      for (const name of ['addresses.json', 'stores.json']) rmSync(at(name), { force: true })
      rmSync(at('lock'), { force: true })
    },
  }
}

function lock(file: string, path: string): void {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      writeFileSync(file, `${process.pid} ${startOf(process.pid) ?? ''}`, { flag: 'wx' })
      return
    } catch {
      const [pid = 0, start = ''] = readFileSync(file, 'utf8').split(' ')
      // A process id is used again: the same process is one that also started at the same time.
      if (startOf(Number(pid)) === start) {
        throw new Error(`Countersign runs on ${path} already, as process ${pid}. Stop it first, or choose another folder with --data DIR.`)
      }
      rmSync(file, { force: true })
    }
  }
  throw new Error(`Can't lock the data folder ${path}: another start is under way.`)
}

/** When a process started, in clock ticks since boot; undefined where there is none. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
