import type { Db } from '../store/schema.js'
import { listOrganizations } from '../store/organizations.js'

export type { RegistrySchema } from '../store/schema.js'

/** Of the whole installation, by id or by name; all where nothing is asked for. */
export async function organizationsNamed(db: Db, wanted: string | undefined): Promise<{ id: string; name: string }[]> {
  const all = await listOrganizations(db)
  return all.filter(({ id, name }) => wanted === undefined || wanted === id || wanted === name)
}
