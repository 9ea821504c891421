import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Answer } from '../../cli/answer.js'
import type { Run } from '../../cli/command.js'
import { openConnections } from '../../cli/connections.js'
import { findContext } from '../../cli/context.js'
import { findCredentials } from '../../cli/credentials.js'
import { commandLine } from '../../cli/program.js'
import { openSession } from '../../cli/session.js'
import { type Admin, bootstrap, newAdmin } from '../../deploy/local/bootstrap.js'
import { type LocalSecrets, newSecrets } from '../../deploy/local/secrets.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { type OwnPostgres, startOwnPostgres } from '../support/own-postgres.js'
import { type Processes, startProcesses } from '../support/processes.js'
import { type OwnRedis, ownRedis } from '../support/redis.js'
import { scratchDirectory } from '../support/scratch-directory.js'
import { type Ran, runCli } from './run-cli.js'

// A system of its own, each part a process that can be broken, and `doctor` in its folder.

const report = z.object({ healthy: z.boolean(), findings: z.array(z.object({ check: z.string(), outcome: z.string(), seen: z.string(), advice: z.string().optional() })) })

type Finding = z.output<typeof report>['findings'][number]

export type Findings = { readonly code: number; readonly all: readonly Finding[]; readonly of: (check: string) => Finding | undefined; readonly outcome: (outcome: string) => string[] }

export type Patient = {
  readonly folder: string
  readonly postgres: OwnPostgres
  readonly redis: OwnRedis
  readonly processes: Processes
  readonly secrets: LocalSecrets
  readonly admin: Admin
  /** What `doctor` finds, run in this process; the environment is what is given, and nothing of whoever runs the tests. */
  findings(environment?: Record<string, string>, credentialsFile?: string): Promise<Findings>
  /** The command line as a process of its own, in the folder of the system or another. */
  run(args: readonly string[], folder?: string): Promise<Ran>
  /** A file in the folder. */
  write(name: string, contents: unknown): string
  /** As the superuser. */
  sql(...statements: readonly string[]): Promise<void>
  close(): Promise<void>
}

export async function startPatient(): Promise<Patient> {
  const [scratch, postgres, redis] = await Promise.all([scratchDirectory(), startOwnPostgres(), ownRedis()])
  const folder = scratch.path
  const secrets = newSecrets()
  const processes = await startProcesses({ ...postgres, redisUrl: redis.url, secrets, from: 'source' })
  const admin = newAdmin()
  await bootstrap(processes.addresses, { credential: secrets.bootstrapCredential }, admin)
  const write = (name: string, contents: unknown): string => {
    writeFileSync(join(folder, name), JSON.stringify(contents), { mode: 0o600 })
    return join(folder, name)
  }
  mkdirSync(join(folder, '.countersign'))
  const { registry, exchange, check } = processes.addresses
  write('.countersign/addresses.json', { registry, exchange, check })
  const ownFile = write('.countersign/admin.json', admin)
  write('.countersign/stores.json', { database: postgres.superuserUrl, redis: redis.url })
  return {
    folder,
    postgres,
    redis,
    processes,
    secrets,
    admin,
    write,
    run: (args, where = folder) => runCli(args, { folder: where }),
    findings: (environment = {}, credentialsFile = ownFile) => doctorIn(folder, { HOME: folder, ...environment }, credentialsFile),
    sql: (...statements) =>
      withClient(postgres.superuserUrl, async (client) => {
        for (const statement of statements) await client.query(statement)
      }),
    close: async () => {
      await processes.close()
      await Promise.all([redis.close(), postgres.close()])
      await scratch.remove()
    },
  }
}

async function doctorIn(folder: string, environment: Record<string, string>, credentialsFile: string): Promise<Findings> {
  const tell = () => undefined
  const context = findContext(environment, folder, tell)
  const connections = openConnections(context, environment)
  const credentials = () => findCredentials({ credentialsFile }, { environment, context, tell })
  const session = openSession(credentials(), { context, connections, tell })
  const answers: Answer[] = []
  const inProcess: Run = async (_command, work) => {
    answers.push(await work({ context, connections, environment, tell, quiet: false, colours: false, method: () => 'universal-auth', credentials, session: () => session, operator: () => undefined }))
  }
  try {
    await commandLine(inProcess).parseAsync(['node', 'countersign', 'doctor'])
  } finally {
    connections.close()
  }
  const { healthy, findings: all } = report.parse(answers[0]?.document)
  const code = answers[0]?.exitCode ?? 0
  if (healthy !== (code === 0)) throw new Error('the document and the exit code say different things')
  return { code, all, of: (check) => all.find((finding) => finding.check === check), outcome: (outcome) => all.filter((one) => one.outcome === outcome).map(({ check }) => check) }
}
