import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  type TransactionSettings,
} from 'kysely'
import type { Pool, PoolClient } from 'pg'
import type { DomainError } from '../domain-error.js'
import { isUnreachable, notConnected, translated } from './errors.js'

// Kysely's own PostgreSQL driver sends every statement unnamed, so that the server plans it anew (measured: 1.6 times the
// server's work), and gives a connection back to the pool even when it no longer answers. This one does neither.

/** How many statements a connection keeps prepared; what comes after is sent unnamed. */
const MAX_PREPARED = 500

export type DriverOptions = {
  /** Named prepared statements; off for poolers that can't keep them. */
  readonly prepare: boolean
  /** Is told of each connection that could not be had. */
  readonly onRefused?: (refusal: DomainError) => void
}

/** PostgreSQL by pg. */
export function postgresDialect(pool: Pool, { prepare, onRefused }: DriverOptions): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => pooledDriver(pool, prepare ? statementNames() : () => undefined, onRefused),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
}

function statementNames(): (sql: string) => string | undefined {
  const names = new Map<string, string>()
  return (sql) => {
    const known = names.get(sql)
    if (known !== undefined || names.size >= MAX_PREPARED) return known
    const name = `s${names.size}`
    names.set(sql, name)
    return name
  }
}

class PooledConnection implements DatabaseConnection {
  #broken = false

  constructor(
    private readonly client: PoolClient,
    private readonly nameOf: (sql: string) => string | undefined,
  ) {}

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { sql, parameters } = query
    const name = parameters.length > 0 ? this.nameOf(sql) : undefined
    try {
      const result = await this.client.query<R & object>({ text: sql, values: [...parameters], ...(name && { name }) })
      // Several statements in one text, as migrations have them, answer with a list, which has no count.
      return { rows: result.rows, ...(typeof result.rowCount === 'number' && { numAffectedRows: BigInt(result.rowCount) }) }
    } catch (error) {
      this.#broken ||= isUnreachable(error)
      throw translated(error)
    }
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('streaming is not used here')
  }

  release(): void {
    this.client.release(this.#broken)
  }
}

function pooledDriver(pool: Pool, nameOf: (sql: string) => string | undefined, onRefused?: (refusal: DomainError) => void): Driver {
  const connections = new WeakMap<DatabaseConnection, PooledConnection>()
  const run = (connection: DatabaseConnection, sql: string) => connections.get(connection)?.executeQuery(raw(sql))
  return {
    init: () => Promise.resolve(),
    acquireConnection: async () => {
      try {
        const connection = new PooledConnection(await pool.connect(), nameOf)
        connections.set(connection, connection)
        return connection
      } catch (error) {
        const refusal = notConnected(error)
        onRefused?.(refusal)
        throw refusal
      }
    },
    beginTransaction: async (connection, { isolationLevel }: TransactionSettings) => {
      await run(connection, isolationLevel ? `begin isolation level ${isolationLevel}` : 'begin')
    },
    commitTransaction: async (connection) => {
      await run(connection, 'commit')
    },
    rollbackTransaction: async (connection) => {
      await run(connection, 'rollback')
    },
    releaseConnection: (connection) => {
      connections.get(connection)?.release()
      return Promise.resolve()
    },
    destroy: () => pool.end(),
  }
}

const raw = (sql: string): CompiledQuery => ({ sql, parameters: [], query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] }, queryId: { queryId: '' } })
