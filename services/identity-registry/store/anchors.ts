import { sql } from 'kysely'
import { codeOf, contention } from '#libs/postgres/errors.js'
import type { Tx } from './schema.js'

// Whoever changes what something holds locks its anchor exclusively, and the guard locks the anchors of all that it reads,
// shared: so nothing that it read, what was not there included, changes before the commit. Anchors are advisory locks, since
// those of rows are not fair: who wants a row FOR UPDATE waits for as long as others keep coming that want it FOR SHARE, and
// a flood of grants would keep their granter from ever being stopped.

export type Lock = 'shared' | 'exclusive'

/** What to lock, by id. */
export type Anchors = {
  readonly projects?: ReadonlyMap<string, Lock>
  readonly roles?: ReadonlyMap<string, Lock>
  readonly identities?: ReadonlyMap<string, Lock>
}

/** The server's table of locks is not large: who needs more of them locks the organization as a whole. */
const MOST = 100

/** Locks in the one order, until the transaction ends: the organization, projects, roles, identities; each kind in order of id. */
export async function lockAnchors(tx: Tx, organizationId: string, { projects, roles, identities }: Anchors): Promise<void> {
  const few = [...named('project', projects), ...named('role', roles), ...named('identity', identities)]
  const whole = named('organization', new Map([[organizationId, few.length > MOST ? 'exclusive' : 'shared']]))
  const all = few.length > MOST ? whole : [...whole, ...few]
  const [names, exclusive] = [all.map(({ name }) => name), all.map(({ lock }) => lock === 'exclusive')]
  // Row by row, in their order.
  await sql`
    select case when exclusive then pg_advisory_xact_lock(hashtextextended(name, 0)) else pg_advisory_xact_lock_shared(hashtextextended(name, 0)) end
    from unnest(${names}::text[], ${exclusive}::boolean[]) as anchor (name, exclusive)
  `.execute(tx).catch((error: unknown) => {
    // Each waits for as long as a lock may be waited for, and all together for longer than a statement may take.
    throw isTimeout(error) ? contention(error) : error
  })
}

const isTimeout = (error: unknown): boolean => codeOf(error) === '57014' || (error instanceof Error && codeOf(error.cause) === '57014')

/** The identity whose grants the transaction changes. */
export const lockHolder = (tx: Tx, organizationId: string, identityId: string): Promise<void> =>
  lockAnchors(tx, organizationId, { identities: new Map([[identityId, 'exclusive']]) })

const named = (kind: string, wanted: ReadonlyMap<string, Lock> = new Map()): { name: string; lock: Lock }[] =>
  [...wanted].sort(([one], [other]) => (one < other ? -1 : 1)).map(([id, lock]) => ({ name: `registry/${kind}/${id}`, lock }))
