import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { readConfig } from '#libs/env.js'
import { createLog } from '#libs/log.js'
import { HealthCheckResponse_ServingStatus as Serving, HealthService } from '#libs/wire/gen/health/v1/health.js'
import { runMigrate } from '../../deploy/database/run.js'
import { newSecrets } from '../../deploy/local/secrets.js'
import { urlOf, withClient } from '../../deploy/local/service-databases.js'
import { serviceEnvironments } from '../../deploy/local/services.js'
import { migrations as exchangeMigrations } from '../../services/auth-exchange/store/migrations.js'
import { createApp } from '../../services/identity-registry/app.js'
import { configSchema } from '../../services/identity-registry/config.js'
import { migrations } from '../../services/identity-registry/store/migrations.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { callsTo } from '../support/calls.js'
import { stablePort } from '../support/stable-port.js'
import { startSystem } from '../support/system.js'

// The schemas are brought up to date by a role that owns them; the services connect as roles that only read and write rows,
// and wait for what they need.

const tag = randomBytes(4).toString('hex')
const [database, owner, registryRole, exchangeRole] = [`migrations_${tag}`, `owner_${tag}`, `registry_${tag}`, `exchange_${tag}`]
const server = inject('postgresUrl')
const as = (role: string) => urlOf(server, { database, role, password: 'secret' })
const environment = { MIGRATE_DATABASE_URL: as(owner), REGISTRY_DATABASE_ROLE: registryRole, EXCHANGE_DATABASE_ROLE: exchangeRole }

beforeAll(async () => {
  await withClient(server, async (client) => {
    for (const role of [owner, registryRole, exchangeRole]) await client.query(`create role ${role} login password 'secret'`)
    await client.query(`create database ${database} owner ${owner}`)
  })
})
afterAll(async () => {
  await withClient(server, async (client) => {
    await client.query(`drop database if exists ${database} with (force)`)
    for (const role of [owner, registryRole, exchangeRole]) await client.query(`drop role ${role}`)
  })
})

async function migrateBy(...words: string[]) {
  const said = { out: '', told: '' }
  const code = await runMigrate(words, environment, { out: (text) => (said.out += text), tell: (text) => (said.told += text) })
  return { code, ...said }
}

/** An identity-registry that may only read and write rows. */
function registryThat(given: Record<string, string>, warned: (line: string) => void = () => undefined) {
  const { registry } = serviceEnvironments({ registryUrl: as(registryRole), exchangeUrl: '', secrets: newSecrets() })
  const log = createLog({ service: 'test', level: 'silent' })
  log.warn = (_fields: unknown, text?: string) => warned(text ?? '')
  const config = readConfig(configSchema, { ...registry, REGISTRY_PORT: '0', REGISTRY_INTERNAL_PORT: '0', CHECK_ADDRESS: '127.0.0.1:1', DRAIN_SECONDS: '0', ...given })
  return createApp(config, { log })
}

const LATEST = { registry: Object.keys(migrations).at(-1), exchange: Object.keys(exchangeMigrations).at(-1) }
const upToDate = `registry: up to date at ${LATEST.registry}\nexchange: up to date at ${LATEST.exchange}\n`

describe('an empty database', () => {
  it('is said to lack everything, and nothing is changed', async () => {
    expect(await migrateBy('plan')).toMatchObject({ code: 0, out: `registry: pending ${Object.keys(migrations).join(', ')}\nexchange: pending ${Object.keys(exchangeMigrations).join(', ')}\n` })
    expect(await migrateBy('status')).toMatchObject({ code: 1 })
    const { rowCount } = await withClient(as(owner), (client) => client.query("select from information_schema.schemata where schema_name in ('registry', 'exchange')"))
    expect(rowCount).toBe(0)
  })

  it('is waited for by a service that may not change it: alive, not ready, and ready once it is there', async () => {
    const healthPort = await stablePort()
    const lines: string[] = []
    const app = registryThat({ HEALTH_PORT: String(healthPort), MIGRATIONS: 'wait' }, (line) => lines.push(line))
    const listening = app.listen()
    const health = callsTo(`127.0.0.1:${healthPort}`)
    const statusOf = async (service: string) => (await health(HealthService.check, { service })).status
    try {
      while (lines.length === 0) await sleep(10)
      expect(await Promise.all(['liveness', 'readiness'].map(statusOf))).toEqual([Serving.SERVING, Serving.NOT_SERVING])
      expect(lines).toEqual(['waiting for migrations: run `countersign migrate up` with a role that may'])
      expect(await migrateBy('up')).toMatchObject({ code: 0, out: upToDate })
      await listening
      expect(await Promise.all(['liveness', 'readiness'].map(statusOf))).toEqual([Serving.SERVING, Serving.SERVING])
    } finally {
      health.close()
      await app.close()
    }
  })
})

describe('a database that is up to date', () => {
  it('is left as it is, and several may look after it at once', async () => {
    expect(await migrateBy('status')).toEqual({ code: 0, out: upToDate, told: '' })
    const both = await Promise.all([migrateBy('up'), migrateBy('up')])
    expect(both.map(({ code, out }) => [code, out])).toEqual([[0, upToDate], [0, upToDate]])
  })

  it('is all that the services need, as roles that may make, change and drop nothing', async () => {
    const databases = { registryUrl: as(registryRole), exchangeUrl: as(exchangeRole), superuserUrl: urlOf(server, { database }) }
    const system = await startSystem({ databases, environment: { MIGRATIONS: 'wait' } })
    try {
      const admin = await system.session(system.admin)
      const { id } = await admin.registry(Registry.createIdentity, { name: 'billing', role: 'viewer' })
      expect(await system.check(admin.token, 'delete', 'identity')).toMatchObject({ allowed: true })
      await admin.registry(Registry.deleteIdentity, { id, etag: '' })
    } finally {
      await system.close()
    }
    for (const [role, schema, other] of [[registryRole, 'registry', 'exchange'], [exchangeRole, 'exchange', 'registry']] as const) {
      const refusedBy = (statement: string) => withClient(as(role), (client) => expect(client.query(statement)).rejects.toMatchObject({ code: '42501' }))
      await refusedBy(`create table ${schema}.mine ()`)
      await refusedBy(`drop table ${schema}.audit_event`)
      await refusedBy(`alter table ${schema}.audit_event add column mine text`)
      await refusedBy(`delete from ${schema}.migration`)
      await refusedBy(`select from ${other}.audit_event`)
    }
  })

  it('with what a later version brought is good for this one too, which says so', async () => {
    await withClient(as(owner), (client) => client.query("insert into registry.migration (name, timestamp) values ('9999-later', 'now')"))
    expect(await migrateBy('status')).toMatchObject({ code: 0, out: expect.stringContaining(`registry: up to date at ${LATEST.registry}, and 9999-later of a later version\n`) })
    expect(await migrateBy('up')).toMatchObject({ code: 0 })
    for (const MIGRATIONS of ['apply', 'wait']) {
      const app = registryThat({ MIGRATIONS })
      await app.listen()
      await app.close()
    }
  })
})

describe('migrate', () => {
  it.each([[['sideways']], [[]], [['up', 'now']]])('%j is wrong usage', async (words) => expect(await migrateBy(...words)).toMatchObject({ code: 2, told: expect.stringContaining('Usage: countersign migrate') }))

  it('helps', async () => expect(await migrateBy('help')).toMatchObject({ code: 0, out: expect.stringContaining('MIGRATE_DATABASE_URL') }))

  it('says what of its configuration is wrong, and what of the database', async () => {
    const said = { out: '', told: '' }
    const streams = { out: (text: string) => (said.out += text), tell: (text: string) => (said.told += text) }
    expect(await runMigrate(['up'], { REGISTRY_DATABASE_ROLE: 'no role' }, streams)).toBe(2)
    expect(said.told).toContain('MIGRATE_DATABASE_URL: is missing (MIGRATE_DATABASE_URL or MIGRATE_DATABASE_URL_FILE)\n')
    expect(said.told).toContain('REGISTRY_DATABASE_ROLE: must be the name of a role\n')
    expect(await runMigrate(['plan'], { ...environment, MIGRATE_DATABASE_URL: 'postgres://a:b@127.0.0.1:1/x' }, streams)).toBe(1)
  })
})
