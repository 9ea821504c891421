import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { lookAtDatabase } from '../../cli/doctor/database.js'
import { urlOf, withClient } from '../../deploy/local/service-databases.js'
import { freshDatabase } from '../support/postgres.js'
import { type Patient, startPatient } from './patient.js'

// What `doctor` says of a PostgreSQL and a Redis in which something real is not as it should be: its line, and what to do.

let patient: Patient
beforeAll(async () => {
  patient = await startPatient()
}, 120_000)
afterAll(() => patient.close())

describe('a database', () => {
  it('with pending migrations', async () => {
    await patient.sql('create database empty')
    const { code, of } = await patient.findings({ MIGRATE_DATABASE_URL: urlOf(patient.postgres.superuserUrl, { database: 'empty' }) })
    expect(of('migrations')).toMatchObject({ outcome: 'failure', seen: expect.stringContaining('pending: registry 0001-registry'), advice: expect.stringContaining('countersign migrate up') })
    expect(code).toBe(1)
  })

  it('that promises nothing over a crash', async () => {
    const careless = await freshDatabase()
    const { of } = await patient.findings({ MIGRATE_DATABASE_URL: careless.superuserUrl })
    expect(of('fsync')).toMatchObject({ outcome: 'failure', advice: expect.stringContaining('fsync = on') })
    expect(of('full_page_writes')).toMatchObject({ outcome: 'failure', advice: expect.stringContaining('full_page_writes = on') })
    expect(of('synchronous_commit')).toMatchObject({ outcome: 'failure', advice: expect.stringContaining('set it to on') })
    // It is another one than that of the services.
    expect(of('feeds')).toMatchObject({ outcome: 'failure', seen: expect.stringContaining('another registry and another exchange'), advice: expect.stringContaining('one database') })
    await careless.drop()
  })

  it('that does not wait for what a service commits', async () => {
    await patient.sql('alter role exchange set synchronous_commit = off')
    expect((await patient.findings()).of('synchronous_commit')).toMatchObject({ outcome: 'failure', seen: 'off for exchange', advice: expect.stringContaining('alter role') })
    await patient.sql('alter role exchange reset synchronous_commit')
  })

  it('that waits for a standby which is not there', async () => {
    await patient.sql("alter system set synchronous_standby_names = 'nobody'", 'select pg_reload_conf()')
    expect((await patient.findings({ COUNTERSIGN_CLIENT_ID: patient.admin.clientId })).of('synchronous standby')).toMatchObject({ outcome: 'failure', seen: expect.stringContaining('every commit waits') })
    await patient.sql('alter system reset synchronous_standby_names', 'select pg_reload_conf()')
  })

  it('that takes no writes', async () => {
    await patient.sql('alter database countersign set default_transaction_read_only = on')
    expect((await patient.findings()).of('primary')).toMatchObject({ outcome: 'failure', seen: 'transactions are read-only' })
    await patient.sql('set default_transaction_read_only = off', 'alter database countersign reset default_transaction_read_only')
  })

  it('without an active signing key', async () => {
    await withClient(patient.postgres.superuserUrl, async (client) => {
      await client.query("update exchange.signing_key set state = 'retired'")
      // Auth-exchange would make another one.
      await client.query('begin; lock table exchange.signing_key in share mode')
      const advice = expect.stringContaining('auth-exchange makes one within a minute')
      expect((await patient.findings()).of('signing keys')).toMatchObject({ outcome: 'failure', seen: expect.stringContaining('none is active'), advice })
      await client.query("update exchange.signing_key set state = 'active'; commit")
    })
  })

  it('with client secrets under a pepper that is not configured any more', async () => {
    const { of } = await patient.findings({ PEPPERS: `newer:${patient.secrets.pepper}` })
    expect(of('peppers')).toMatchObject({ outcome: 'warning', seen: '1 client secrets under local; PEPPERS names newer', advice: expect.stringContaining('argon2id') })
    expect((await patient.findings({ PEPPERS: `newer:${patient.secrets.redisMacKey},local:${patient.secrets.pepper}` })).of('peppers')).toMatchObject({ outcome: 'ok', seen: '1 client secrets under local' })
  })

  it('seen by a role that may see little', async () => {
    const { of, outcome } = await patient.findings({ DATABASE_URL: patient.postgres.registryUrl })
    expect(of('migrations')).toMatchObject({ outcome: 'not_looked_at', advice: expect.stringContaining('MIGRATE_DATABASE_URL') })
    expect(of('signing keys')).toMatchObject({ outcome: 'ok', seen: expect.stringContaining('1 published') })
    expect(outcome('failure')).toEqual([])
  })

  it('by a wrong password, or a wrong name', async () => {
    const wrong = await patient.findings({ MIGRATE_DATABASE_URL: urlOf(patient.postgres.superuserUrl, { database: 'countersign', password: 'wrong' }) })
    expect(wrong.of('PostgreSQL')).toMatchObject({ outcome: 'failure', seen: expect.stringContaining('password authentication failed'), advice: expect.stringContaining('correct user or password') })
    const nowhere = await patient.findings({ MIGRATE_DATABASE_URL: urlOf(patient.postgres.superuserUrl, { database: 'nowhere' }) })
    expect(nowhere.of('PostgreSQL')).toMatchObject({ outcome: 'failure', advice: expect.stringContaining('make the database') })
  })

  it.each([[-40_000, 'failure', 'behind'], [5_000, 'warning', 'ahead of'], [200, 'ok', 'ahead of']] as const)('whose clock differs by %i ms from this machine: %s', async (millis, outcome, seen) => {
    const { findings: found } = await lookAtDatabase({ url: patient.postgres.superuserUrl, tls: false }, () => Date.now() + millis)
    expect(found.find(({ check }) => check === 'clock, database')).toMatchObject({ outcome, seen: expect.stringContaining(seen) })
  })

  it('that is down', async () => {
    await patient.postgres.stop()
    const { code, of } = await patient.findings()
    await patient.postgres.restart()
    expect(of('PostgreSQL')).toMatchObject({ outcome: 'failure', seen: expect.stringContaining('ECONNREFUSED'), advice: expect.stringContaining('see whether PostgreSQL runs on 127.0.0.1') })
    expect(of('signing keys')).toMatchObject({ outcome: 'ok', seen: expect.stringContaining('published') })
    expect(code).toBe(1)
  })
})

describe('Redis', () => {
  it('whose entries are sealed under keys of somebody else', async () => {
    const { of } = await patient.findings({ REDIS_MAC_KEYS: `mine:${patient.secrets.redisMacKey}` })
    expect(of('MAC keys')).toMatchObject({ outcome: 'warning', seen: expect.stringContaining('sealed under local'), advice: expect.stringContaining('the same REDIS_MAC_KEYS') })
  })

  it('that forgets nothing, has no limit, or is somebody\'s replica', async () => {
    const client = patient.redis.client()
    await client.config('SET', 'maxmemory-policy', 'noeviction')
    expect((await patient.findings()).of('Redis memory')).toMatchObject({ outcome: 'warning', seen: expect.stringContaining('noeviction'), advice: expect.stringContaining('allkeys-lru') })
    await client.config('SET', 'maxmemory', '0')
    await client.replicaof('127.0.0.1', 1)
    const { of } = await patient.findings()
    expect(of('Redis memory')).toMatchObject({ outcome: 'warning', seen: expect.stringContaining('no limit') })
    expect(of('Redis role')).toMatchObject({ outcome: 'warning', seen: expect.stringContaining('slave') })
    await patient.redis.restart()
  })

  it('by a wrong password', async () => {
    const { of, code } = await patient.findings({ REDIS_URL: `redis://:wrong@127.0.0.1:${patient.redis.port}` })
    expect([of('Redis'), code]).toMatchObject([{ outcome: 'failure', seen: expect.stringContaining('WRONGPASS'), advice: expect.stringContaining('correct user or password') }, 1])
  })

  it('that is down', async () => {
    await patient.redis.stop()
    const { of, code } = await patient.findings()
    await patient.redis.restart()
    expect([of('Redis'), code]).toMatchObject([{ outcome: 'failure', seen: expect.stringContaining('ECONNREFUSED'), advice: expect.stringContaining('see whether Redis runs') }, 1])
  })
})

it('the shared cluster of the tests, whose settings are looked at above, is as careless as it is said to be', async () => {
  const { rows } = await withClient(inject('postgresUrl'), (client) => client.query<{ fsync: string }>('show fsync'))
  expect(rows).toEqual([{ fsync: 'off' }])
})
