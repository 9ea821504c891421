import { constraintOf } from '#libs/postgres/errors.js'
import type { Project } from '../domain/identity.js'
import { projectNameTaken, projectNotFound } from '../domain/refusals.js'
import type { Db, Tx } from './schema.js'

type Key = { readonly organizationId: string; readonly id: string }

export async function insertProject(tx: Tx, project: Project): Promise<void> {
  await tx.insertInto('project').values(project).execute().catch(refuseTakenName(project.name))
}

export async function getProject(db: Db, { organizationId, id }: Key): Promise<Project> {
  const row = await db.selectFrom('project').selectAll().where('organizationId', '=', organizationId).where('id', '=', id).executeTakeFirst()
  if (!row) throw projectNotFound(id)
  return row
}

/** Against others who write it; whoever only refers to it neither waits nor is waited for. */
export async function lockProject(tx: Tx, { organizationId, id }: Key): Promise<Project> {
  const query = tx.selectFrom('project').selectAll().where('organizationId', '=', organizationId).where('id', '=', id).forNoKeyUpdate()
  const row = await query.executeTakeFirst()
  if (!row) throw projectNotFound(id)
  return row
}

/** Up to `size + 1` projects in order of creation, those after `after`. */
export function listProjects(db: Db, organizationId: string, page: { size: number; after: string | undefined; name: string }): Promise<Project[]> {
  let query = db.selectFrom('project').selectAll().where('organizationId', '=', organizationId)
  if (page.after !== undefined) query = query.where('id', '>', page.after)
  if (page.name !== '') query = query.where('name', '=', page.name)
  return query.orderBy('id').limit(page.size + 1).execute()
}

export async function updateProject(tx: Tx, { organizationId, id, name, updateTime, etag }: Project): Promise<void> {
  const query = tx.updateTable('project').set({ name, updateTime, etag }).where('organizationId', '=', organizationId).where('id', '=', id)
  await query.execute().catch(refuseTakenName(name))
}

/** Deletes the project; its roles and bindings go with it. */
export async function deleteProject(tx: Tx, { organizationId, id }: Key): Promise<void> {
  await tx.deleteFrom('project').where('organizationId', '=', organizationId).where('id', '=', id).execute()
}

const refuseTakenName = (name: string) => (error: unknown): never => {
  throw constraintOf(error) === 'project_name_is_unique' ? projectNameTaken(name) : error
}
