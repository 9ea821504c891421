import { chown, copyFile, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { withClient } from '../../deploy/local/service-databases.js'
import type { Files } from './certificate-authority.js'
import { type OwnPostgres, startOwnPostgres } from './own-postgres.js'
import { until } from './running-processes.js'

/** A PostgreSQL that takes TLS, or not, as the test says; it takes plain text in either case. */
export type TlsPostgres = OwnPostgres & {
  /** From the next connection on it shows this certificate, and has clients known by its CA; without one, it takes no TLS. */
  show(files: Files | undefined): Promise<void>
  /** Whether clients have to show a certificate for the role that they connect as. */
  askForCertificates(ask: boolean): Promise<void>
}

export async function startTlsPostgres(): Promise<TlsPostgres> {
  const postgres = await startOwnPostgres()
  const folder = await withClient(postgres.superuserUrl, async (client) => (await client.query<{ folder: string }>("select current_setting('data_directory') as folder")).rows[0]?.folder ?? '')
  const hba = join(folder, 'pg_hba.conf')
  const standard = await readFile(hba, 'utf8')
  // The server reads a key only if it is its user's, or root's, and nobody else may.
  const put = async (from: string, name: string) => {
    const [to, owner] = [join(folder, name), await stat(folder)]
    await copyFile(from, to)
    await chown(to, owner.uid, owner.gid)
  }
  const told = async (...statements: string[]) => {
    const before = await loadTime(postgres)
    await withClient(postgres.superuserUrl, async (client) => {
      for (const statement of [...statements, 'select pg_reload_conf()']) await client.query(statement)
    })
    await until(async () => (await loadTime(postgres)) > before)
  }
  return {
    ...postgres,
    async show(files) {
      if (files === undefined) return told('alter system set ssl = off')
      await put(files.certificateFile, 'server.crt')
      await put(files.keyFile, 'server.key')
      await put(files.caFile, 'clients.crt')
      await told('alter system set ssl = on', "alter system set ssl_ca_file = 'clients.crt'")
    },
    async askForCertificates(ask) {
      await writeFile(hba, ask ? `hostssl all registry all scram-sha-256 clientcert=verify-full\n${standard}` : standard)
      await told()
    },
  }
}

// Of a connection of its own: sessions hear of it later than the postmaster, and new ones are what it is about.
async function loadTime({ superuserUrl }: OwnPostgres): Promise<number> {
  const client = new Client({ connectionString: superuserUrl })
  await client.connect()
  const { rows } = await client.query<{ at: Date }>('select pg_conf_load_time() as at')
  await client.end()
  return rows[0]?.at.getTime() ?? 0
}
