import { type Kysely, type Migration, sql } from 'kysely'
import { changeFeedTables } from '#libs/freshness/append.js'

export const changeFeed: Migration = {
  async up(db: Kysely<unknown>) {
    await sql.raw(changeFeedTables('registry')).execute(db)
  },
}
