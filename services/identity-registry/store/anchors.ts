import type { Tx } from './schema.js'

// Whoever changes what something holds locks its row FOR UPDATE, and the guard locks the rows of all that it reads FOR SHARE:
// so nothing that it read, what was not there included, changes before the commit. The order is the same everywhere.

export type Lock = 'share' | 'update'

/** What to lock, by id. */
export type Anchors = { readonly projects: ReadonlyMap<string, Lock>; readonly roles: ReadonlyMap<string, Lock>; readonly identities: ReadonlyMap<string, Lock> }

/**
 * Locks in the one order: the organization, projects, roles, identities; each kind in order of id. What is not there can't be
 * locked: whoever needs it says so.
 */
export async function lockAnchors(tx: Tx, organizationId: string, { projects, roles, identities }: Anchors): Promise<void> {
  await tx.selectFrom('organization').select('id').where('id', '=', organizationId).forShare().execute()
  await lockRows(tx, 'project', { organizationId, wanted: projects })
  await lockRows(tx, 'role', { organizationId, wanted: roles })
  await lockRows(tx, 'identity', { organizationId, wanted: identities })
}

type Rows = { readonly organizationId: string; readonly wanted: ReadonlyMap<string, Lock> }

async function lockRows(tx: Tx, table: 'project' | 'role' | 'identity', { organizationId, wanted }: Rows): Promise<void> {
  for (const { lock, ids } of runsOf(wanted)) {
    const query = tx.selectFrom(table).select('id').where('organizationId', '=', organizationId).where('id', 'in', ids).orderBy('id')
    await (lock === 'update' ? query.forUpdate() : query.forShare()).execute()
  }
}

/** One statement can take but one kind of lock: neighbours of a kind, in order of id. */
function runsOf(wanted: ReadonlyMap<string, Lock>): { lock: Lock; ids: string[] }[] {
  const runs: { lock: Lock; ids: string[] }[] = []
  for (const [id, lock] of [...wanted].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const last = runs.at(-1)
    if (last?.lock === lock) last.ids.push(id)
    else runs.push({ lock, ids: [id] })
  }
  return runs
}

/** Locks the row of the identity whose grants the transaction changes, where nothing else has to be locked before it. */
export async function lockHolder(tx: Tx, organizationId: string, identityId: string): Promise<void> {
  await tx.selectFrom('identity').select('id').where('organizationId', '=', organizationId).where('id', '=', identityId).forUpdate().execute()
}
