import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { destination } from 'pino'
import { logLevelIn } from '#libs/env.js'
import { Closing, closeOnSignal } from '#libs/lifecycle.js'
import { createLog } from '#libs/log.js'
import { banner, readyLine } from './banner.js'
import { bootstrap, loadAdmin } from './bootstrap.js'
import { type DataFolder, takeDataFolder } from './data-folder.js'
import { startPostgres } from './embedded-postgres.js'
import { type LocalRedis, provideRedis } from './local-redis.js'
import { parseStartOptions, startHelp } from './options.js'
import { writePrivateJson } from './private-json.js'
import { loadSecrets } from './secrets.js'
import { prepareServiceDatabase, urlOf } from './service-databases.js'
import { type ServiceAddresses, type ServiceName, startServices } from './services.js'

// `npm start`: PostgreSQL, Redis and the three services on this machine, with nothing preinstalled.

const DATABASE = 'countersign'

type Start = {
  readonly closing: Closing
  readonly say: (line: string) => void
  /** Called when the database ends by itself: nothing can go on without it. */
  readonly databaseLost: () => void
}

type Started = { readonly addresses: ServiceAddresses; readonly databaseUrl: string; readonly redis: LocalRedis; readonly operatorCredential: string }

async function start(folder: DataFolder, { closing, say, databaseLost }: Start): Promise<Started> {
  const isNew = !existsSync(folder.postgres)
  for (const file of isNew ? [] : [folder.admin, folder.secrets]) {
    if (!existsSync(file)) throw new Error(`${file} is gone, and with it the only copy of what it held. Put it back, or start anew with another data folder (--data DIR).`)
  }
  const secrets = loadSecrets(folder.secrets)
  const admin = loadAdmin(folder.admin)
  say(isNew ? 'Making a database …' : 'Starting the database …')
  const postgresLog = destination({ dest: join(folder.logs, 'postgres.log'), sync: true })
  const postgres = await startPostgres({
    dataDir: folder.postgres,
    port: 0,
    password: secrets.postgresPassword,
    durable: true,
    log: (line) => void postgresLog.write(`${line}\n`),
  })
  let stopping = false
  void postgres.exited.then(() => {
    if (!stopping) databaseLost()
  })
  closing.add(() => {
    stopping = true
    return postgres.stop()
  })
  const roles = [
    { role: 'registry', password: secrets.registryPassword, schema: 'registry' },
    { role: 'exchange', password: secrets.exchangePassword, schema: 'exchange' },
  ]
  await prepareServiceDatabase(postgres.superuserUrl, { database: DATABASE, roles })
  const redis = await provideRedis(folder, { environment: process.env, closing, say })
  say('Starting the services …')
  const level = logLevelIn(process.env)
  const log = (service: ServiceName) => createLog({ service, level, destination: destination({ dest: join(folder.logs, `${service}.log`), sync: true }) })
  const services = await startServices({
    registryUrl: urlOf(postgres.superuserUrl, { database: DATABASE, role: 'registry', password: secrets.registryPassword }),
    exchangeUrl: urlOf(postgres.superuserUrl, { database: DATABASE, role: 'exchange', password: secrets.exchangePassword }),
    ...(redis.url !== undefined && { redisUrl: redis.url }),
    secrets,
    log,
    // Which Redis it is has been settled, and the database is our own, on this machine.
    environment: { ...process.env, REDIS_URL: undefined, REDIS_URL_FILE: undefined, DATABASE_CA_FILE: undefined, DATABASE_CERTIFICATE_FILE: undefined, DATABASE_KEY_FILE: undefined },
  })
  closing.add(() => services.close())
  await bootstrap(services.addresses, { credential: secrets.bootstrapCredential }, admin)
  return { addresses: services.addresses, databaseUrl: urlOf(postgres.superuserUrl, { database: DATABASE }), redis, operatorCredential: `bootstrap:${secrets.bootstrapCredential}` }
}

async function main(): Promise<void> {
  const values = parseStartOptions()
  if (values.help) {
    process.stdout.write(startHelp())
    return
  }
  const closing = new Closing()
  const folder = takeDataFolder(values.data ?? join(process.cwd(), '.countersign'))
  closing.add(() => folder.release())
  const say = (line: string) => process.stderr.write(`${line}\n`)
  closeOnSignal(async () => {
    say('Stopping …')
    await closing.close()
  })
  try {
    const databaseLost = () => {
      say(`PostgreSQL ended by itself, and so must this. ${join(folder.logs, 'postgres.log')} says why; \`npm start\` starts again.`)
      void closing.close().finally(() => process.exit(1))
    }
    const { addresses, databaseUrl, redis, operatorCredential } = await start(folder, { closing, say, databaseLost })
    const { registry, exchange, check } = addresses
    writePrivateJson(folder.stores, { database: databaseUrl, redis: redis.url, exchangeInternal: addresses.exchangeInternal, operatorCredential })
    writePrivateJson(folder.addresses, { http: null, registry, exchange, check, admin: folder.admin })
    process.stdout.write(values.json ? `${readyLine(addresses, folder)}\n` : banner(addresses, folder, redis.description))
  } catch (error) {
    await closing.close().catch(() => undefined)
    throw error
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`Countersign can't start. ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
