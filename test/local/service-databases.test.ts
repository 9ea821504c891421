import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { prepareServiceDatabase, urlOf, withClient } from '../../deploy/local/service-databases.js'
import { startOwnPostgres } from '../support/own-postgres.js'
import { type FreshDatabase, freshDatabase } from '../support/postgres.js'

const one = async (url: string, sql: string): Promise<unknown> =>
  withClient(url, async (client) => (await client.query<unknown[]>({ text: sql, rowMode: 'array' })).rows[0]?.[0])

describe('a database of both services', () => {
  let database: FreshDatabase
  beforeAll(async () => {
    database = await freshDatabase()
  })
  afterAll(() => database.drop())

  it('has the tables of each service, which that service may read', async () => {
    expect(await one(database.registryUrl, 'select count(*)::int from registry.identity')).toBe(0)
    expect(await one(database.exchangeUrl, 'select count(*)::int from exchange.access_token')).toBe(0)
  })

  // Two services share a server, and a stolen password of one opens nothing of the other. Seen to fail with the roles made
  // superusers, and the last line of the table with `allowOnly` left out.
  it.each([
    ['registryUrl', 'select * from exchange.signing_key', 'permission denied for schema exchange'],
    ['exchangeUrl', 'select * from registry.binding', 'permission denied for schema registry'],
    ['registryUrl', 'create table public.x ()', 'permission denied for schema public'],
    ['registryUrl', 'create schema other', 'permission denied for database'],
    ['exchangeUrl', 'create role other', 'permission denied to create role'],
    ['exchangeUrl', 'create temporary table x ()', 'permission denied to create temporary tables'],
  ] as const)('as %s refuses %s', async (url, sql, message) => {
    await expect(one(database[url], sql)).rejects.toThrow(message)
  })

  it('is another one for each who asks, also at the same time', async () => {
    const databases = await Promise.all(Array.from({ length: 8 }, () => freshDatabase()))
    const [first, second] = databases
    if (!first || !second) throw new Error('no databases')
    await one(first.registryUrl, `insert into registry.organization values (uuidv7(), 'one', now(), now(), uuidv7())`)
    expect(await one(first.superuserUrl, 'select count(*)::int from registry.organization')).toBe(1)
    expect(await one(second.superuserUrl, 'select count(*)::int from registry.organization')).toBe(0)
    await Promise.all(databases.map((each) => each.drop()))
    await expect(one(first.superuserUrl, 'select 1')).rejects.toThrow('does not exist')
  })
})

describe('preparing', () => {
  it('may be repeated, changes passwords and loses nothing', async () => {
    const server = inject('postgresUrl')
    const database = 'Strange "name" of a database'
    const roles = (password: string) => [
      { role: `o'ne "role"`, password, schema: `o'ne "schema"` },
      { role: 'other role', password: 'fixed', schema: 'other schema' },
    ]
    const url = (password: string) => urlOf(server, { database, role: `o'ne "role"`, password })
    await Promise.all(['p1', 'p1', 'p1'].map((password) => prepareServiceDatabase(server, { database, roles: roles(password) })))
    await one(url('p1'), `create table "o'ne ""schema""".kept as select 42 as answer`)
    await prepareServiceDatabase(server, { database, roles: roles(`p'2"\\ %/@:`) })
    expect(await one(url(`p'2"\\ %/@:`), `select answer from "o'ne ""schema""".kept`)).toBe(42)
    await expect(one(url('p1'), 'select 1')).rejects.toThrow('password authentication failed')
    await one(server, `drop database "Strange ""name"" of a database" with (force)`)
    await one(server, `drop role "o'ne ""role""", "other role"`)
  })
})

describe('a PostgreSQL of its own', () => {
  it('keeps its place and its data through kill, restart and pause', async () => {
    const own = await startOwnPostgres()
    const count = () => one(own.registryUrl, 'select count(*)::int from registry.organization')
    const add = () => one(own.registryUrl, `insert into registry.organization values (uuidv7(), 'one', now(), now(), uuidv7())`)
    try {
      await add()
      await own.kill9()
      await expect(count()).rejects.toThrow('ECONNREFUSED')
      await own.restart()
      expect(await count()).toBe(1)
      await withClient(own.registryUrl, async (client) => {
        await own.pause()
        const answer = client.query('select 1')
        const first = await Promise.race([answer.then(() => 'answer'), new Promise((done) => setTimeout(done, 300, 'silence'))])
        expect(first).toBe('silence')
        await own.resume()
        expect((await answer).rowCount).toBe(1)
      })
      await own.stop()
      await expect(count()).rejects.toThrow('ECONNREFUSED')
      await own.restart()
      await own.restart()
      await add()
      expect(await count()).toBe(2)
      await own.pause()
      await own.kill9()
      await own.restart()
      expect(await count()).toBe(2)
      await own.pause()
    } finally {
      await own.close()
    }
  })
})
