import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withClient } from '../../deploy/local/service-databases.js'
import { read } from '../house/documents.js'
import { type FreshDatabase, freshDatabase } from '../support/postgres.js'
import { startSystem, type System } from '../support/system.js'

// What docs/runbook.md says of a key encryption key that is not the one that was there, and of a pepper under the same id:
// each system here has keys of its own, with the same ids, on one database.

let databases: FreshDatabase
let first: System
let token = ''

beforeAll(async () => {
  databases = await freshDatabase()
  first = await startSystem({ databases })
  token = (await first.login(first.admin)).accessToken
  await first.close()
})
afterAll(() => databases.drop())

const entry = (title: string): string => read('docs/runbook.md').text.split(/^### /m).find((one) => one.startsWith(`${title}\n`)) ?? ''

const statements = (title: string): string[] => [...entry(title).matchAll(/`((?:delete|update) [^`]+)`/g)].map(([, statement = '']) => statement)

describe('another key encryption key', () => {
  it('is refused at the start, in the words of the runbook', async () => {
    await expect(startSystem({ databases })).rejects.toThrow('was encrypted under another KEY_ENCRYPTION_KEY')
    expect(entry('Key encryption key')).toContain('“was encrypted under another KEY_ENCRYPTION_KEY”')
  })

  it('is taken after what the runbook says: earlier tokens are void, and logins go on', async () => {
    const way = statements('Key encryption key')
    expect(way).toHaveLength(2)
    await withClient(databases.superuserUrl, async (client) => {
      for (const statement of way) await client.query(statement)
    })
    const second = await startSystem({ databases })
    try {
      await expect(second.check(token, 'read', 'organization')).rejects.toMatchObject({ reason: 'ACCESS_TOKEN_REJECTED' })
      const { accessToken } = await second.login(second.admin)
      expect(await second.check(accessToken, 'read', 'organization')).toMatchObject({ allowed: true })
      // The pepper is another key under the same id.
      await expect(second.login(first.admin)).rejects.toMatchObject({ reason: 'CREDENTIALS_REJECTED' })
      expect(second.logged()).toContain('"login_refused":"wrong"')
    } finally {
      await second.close()
    }
  })
})

describe('a restored backup', () => {
  it('is told to the feeds by what the runbook says: both have another epoch', async () => {
    const way = statements('A backup was restored')
    expect(way).toHaveLength(2)
    await withClient(databases.superuserUrl, async (client) => {
      const epochs = async () => (await client.query<{ epoch: string }>('select registry.feed_epoch() as epoch union all select exchange.feed_epoch()')).rows.map(({ epoch }) => epoch)
      const before = await epochs()
      for (const statement of way) await client.query(statement)
      const after = await epochs()
      expect(before).toHaveLength(2)
      expect(after.filter((epoch) => before.includes(epoch))).toEqual([])
    })
  })
})
