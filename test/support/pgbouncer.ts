import { execFile } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { onPath } from '../../deploy/local/find-redis.js'
import { unpackedPackage } from '../../deploy/local/unpacked-package.js'
import { startDaemon } from './daemon.js'
import { scratchDirectory } from './scratch-directory.js'
import { stablePort } from './stable-port.js'

export type PgBouncer = {
  /** The same database by way of the pooler. */
  readonly through: (url: string) => string
  close(): Promise<void>
}

export type PgBouncerProgram = { readonly program: string; /** Since 1.21 it keeps prepared statements for its clients. */ readonly keepsPrepared: boolean }

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/countersign-pgbouncer', import.meta.url))
const PGBOUNCER = { name: 'pgbouncer', size: 'a few MB', packageName: 'pgbouncer', path: 'usr/sbin/pgbouncer' }

/** On the PATH, or unpacked; or else why not, which is a failure where CI is set. */
export async function findPgBouncer(): Promise<PgBouncerProgram | { readonly missing: string }> {
  const path = [...(process.env['PATH'] ?? '').split(':').filter((entry) => entry.startsWith('/')), '/usr/sbin']
  const say = (line: string) => process.stderr.write(`${line}\n`)
  try {
    const program = (await onPath(path, 'pgbouncer')) ?? (await unpackedPackage(PGBOUNCER, { folder: CACHE, aptGet: await onPath(path, 'apt-get'), say }))
    if (program === undefined) throw new Error('there is neither it nor apt-get')
    const { stdout } = await promisify(execFile)(program, ['--version'])
    const [, major = '0', minor = '0'] = /PgBouncer (\d+)\.(\d+)/.exec(stdout) ?? []
    return { program, keepsPrepared: Number(major) > 1 || Number(minor) >= 21 }
  } catch (error) {
    if (process.env['CI'] !== undefined && process.env['CI'] !== '') throw error
    return { missing: `pgbouncer can't be had: ${error instanceof Error ? error.message : String(error)}` }
  }
}

type Options = PgBouncerProgram & {
  readonly serverUrl: string
  /** Role and password of whoever comes through. */
  readonly urls: readonly string[]
  /** Connections to the server for each role and database: few, so that transactions of many clients share them. */
  readonly poolSize: number
  readonly ignoredParameters?: string
}

/** A pooler in transaction mode in front of a PostgreSQL. */
export async function startPgBouncer({ program, keepsPrepared, serverUrl, urls, poolSize, ignoredParameters }: Options): Promise<PgBouncer> {
  const scratch = await scratchDirectory()
  const folder = join(scratch.path, 'pgbouncer')
  const [server, port] = [new URL(serverUrl), await stablePort()]
  const users = new Map(urls.map((url) => [new URL(url).username, decodeURIComponent(new URL(url).password)]))
  const configuration = `
[databases]
* = host=${server.hostname} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${join(folder, 'users.txt')}
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = 500
${ignoredParameters === undefined ? '' : `ignore_startup_parameters = ${ignoredParameters}`}
${keepsPrepared ? 'max_prepared_statements = 200' : ''}
`
  await mkdir(folder)
  await writeFile(join(folder, 'pgbouncer.ini'), configuration)
  await writeFile(join(folder, 'users.txt'), [...users].map(([role, password]) => `"${role}" "${password}"\n`).join(''))
  await chmod(folder, 0o755)
  // It does not run as root.
  const asNobody = process.getuid?.() === 0 ? ['--user', 'nobody'] : []
  const daemon = await startDaemon({ command: [program, ...asNobody, join(folder, 'pgbouncer.ini')], cwd: folder, ready: /process up/ })
  return {
    through: (url) => {
      const by = new URL(url)
      by.host = `127.0.0.1:${port}`
      return by.href
    },
    async close() {
      daemon.kill('SIGKILL')
      await daemon.exited
      await scratch.remove()
    },
  }
}
