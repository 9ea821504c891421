import type { Caller, Question } from '#libs/authorization.js'
import { escalation } from '#libs/escalation.js'
import { changedMeanwhile } from '#libs/postgres/errors.js'
import type { MissingRule } from '#libs/rules/missing-rule.js'
import { budgetForAll, type Holdings, mayGrant, missingRules, NOTHING } from '../domain/escalation.js'
import { builtInRoleById } from '../domain/role.js'
import { type Lock, lockAnchors } from '../store/anchors.js'
import { type HeldRole, listHeldRoles, listRolesHeldWith, rulesIn, type Scopes } from '../store/held-rules.js'
import { findIdentity } from '../store/identities.js'
import type { Tx } from '../store/schema.js'

// The escalation guard around a change: it reads what is held, lets the change be made, reads again, and undoes it with a
// refusal where somebody got more than whoever makes it holds. All of it under locks that nobody who changes it gets past.

/** Whose grants a change touches. */
export type Recipient =
  | {
      readonly identityId: string
      readonly scopes: Scopes
      /** What it was before: what it is bound to (if nothing is said), nothing, or the same under another name. */
      readonly before?: 'nothing' | 'other-name'
    }
  /** All who hold a role, of the project or of the organization. */
  | { readonly roleId: string }

export type Guard = {
  readonly caller: Pick<Caller, 'organizationId' | 'identityId'>
  readonly now: Date
  readonly recipient: Recipient
  /** Roles that the change gives, by id: they are locked with the others, in order. */
  readonly roleIds?: readonly string[]
  /** With the action `grant` on this, whoever makes the change may give what they do not hold. */
  readonly about: Omit<Question, 'action'>
}

/** Makes the change, unless it gives what the caller does not hold: PERMISSION_DENIED (ESCALATION), and nothing is changed. */
export async function guarded<T>(tx: Tx, guard: Guard, change: () => Promise<T>): Promise<T> {
  const before = await lockedReading(tx, guard, 'exclusive')
  const result = await change()
  const missing = before === MAY_GRANT ? [] : missingBetween(guard, before, await recipientRoles(tx, guard))
  if (missing.length > 0) throw escalation(missing)
  return result
}

/** What the caller would take with a credential of the identity, and does not hold: told when the transaction is over. */
export async function missingForCredential(tx: Tx, guard: Omit<Guard, 'recipient'>, identityId: string): Promise<() => MissingRule[]> {
  const taken: Guard = { ...guard, recipient: { identityId, scopes: 'everywhere', before: 'nothing' } }
  const reading = await lockedReading(tx, taken, 'shared')
  return () => (reading === MAY_GRANT ? [] : missingBetween(taken, reading, reading.recipient))
}

const MAY_GRANT = 'may grant'

type Reading = { readonly granter: readonly HeldRole[]; readonly recipient: readonly HeldRole[] }

/** Reads, locks what was found, and reads again: what came in between makes it start over. Whoever has `grant` is asked no more. */
async function lockedReading(tx: Tx, guard: Guard, recipientLock: Lock): Promise<Reading | typeof MAY_GRANT> {
  if (await mayGrantNow(tx, guard)) {
    const granter = await granterRoles(tx, guard, [])
    await lock(tx, guard, { found: { granter, recipient: [] }, recipientLock })
    if (!(await mayGrantNow(tx, guard))) throw changedMeanwhile()
    return MAY_GRANT
  }
  const found = await read(tx, guard)
  const locked = await lock(tx, guard, { found, recipientLock })
  const reading = await read(tx, guard)
  if (!locked(reading)) throw changedMeanwhile()
  return reading
}

/** Locks all that the reading rests on; answers whether another one rests on nothing else. */
async function lock(tx: Tx, guard: Guard, { found, recipientLock }: { found: Reading; recipientLock: Lock }): Promise<(reading: Reading) => boolean> {
  const { caller: { organizationId, identityId }, recipient, roleIds = [], about } = guard
  const shared = (ids: readonly (string | null)[]) => ids.filter((id) => id !== null).map((id): [string, Lock] => [id, 'shared'])
  const roles = new Map(shared([...roleIds, ...rolesOf(found)].filter((id) => !builtInRoleById(id))))
  const projects = new Map(shared([...(about.projectId === undefined ? [] : [about.projectId]), ...projectsOf(found)]))
  const identities = new Map(shared([identityId]))
  if ('roleId' in recipient) roles.set(recipient.roleId, 'exclusive')
  else identities.set(recipient.identityId, recipientLock)
  await lockAnchors(tx, organizationId, { projects, roles, identities })
  return (reading) => rolesOf(reading).every((id) => roles.has(id) || builtInRoleById(id)) && projectsOf(reading).every((id) => id === null || projects.has(id))
}

/** Whether the caller has `grant` at this moment: in the project, as every question about one, and else in the organization. */
async function mayGrantNow(tx: Tx, guard: Guard): Promise<boolean> {
  const { caller: { organizationId, identityId }, about, now } = guard
  const granter = await findIdentity(tx, { organizationId, id: identityId })
  if (granter?.state !== 'active') return false
  const held = await granterRoles(tx, guard, [])
  const asked = { granted: { resource: about.resource, attributes: about.attributes ?? {} }, subject: { id: granter.id, name: granter.name, ...NO_FACTS }, now }
  return [about.projectId ?? null, null].some((scope) => mayGrant(rulesIn(held, scope), asked))
}

const NO_FACTS = { metadata: new Map<string, string>(), auth: new Map<string, string>() }

const rolesOf = ({ granter, recipient }: Reading): string[] => [...granter, ...recipient].map(({ roleId }) => roleId)

const projectsOf = ({ granter, recipient }: Reading): (string | null)[] => [...granter, ...recipient].map(({ projectId }) => projectId)

async function read(tx: Tx, guard: Guard): Promise<Reading> {
  const recipient = await recipientRoles(tx, guard)
  return { granter: await granterRoles(tx, guard, recipient), recipient }
}

/** What the caller holds where the change gives something; nothing, if it is not active any more. */
async function granterRoles(tx: Tx, { caller: { organizationId, identityId }, about, now }: Guard, recipient: readonly HeldRole[]): Promise<HeldRole[]> {
  const granter = await findIdentity(tx, { organizationId, id: identityId })
  const scopes = [...new Set([null, about.projectId ?? null, ...recipient.map(({ projectId }) => projectId)])]
  return granter?.state === 'active' ? listHeldRoles(tx, { organizationId, identityId, scopes, now }) : []
}

function recipientRoles(tx: Tx, { caller: { organizationId }, recipient, now }: Guard): Promise<HeldRole[]> {
  if ('roleId' in recipient) return listRolesHeldWith(tx, { organizationId, roleId: recipient.roleId, now })
  return listHeldRoles(tx, { organizationId, ...recipient, now })
}

function missingBetween({ recipient, now }: Guard, { granter, recipient: before }: Reading, after: readonly HeldRole[]): MissingRule[] {
  const budget = budgetForAll()
  const was = 'roleId' in recipient ? undefined : recipient.before
  return [...new Set([...before, ...after].map(({ projectId }) => projectId))].flatMap((scope) => {
    const change = {
      granter: rulesIn(granter, scope),
      before: was === 'nothing' ? NOTHING : holdings(recipient, before, scope),
      after: holdings(recipient, after, scope),
      renamed: was === 'other-name',
      now,
    }
    return missingRules(change, budget).map((missing) => ({ ...missing, projectId: scope ?? undefined }))
  })
}

/** All who hold a role hold its rules; what is bound together with it, some of them. */
function holdings(recipient: Recipient, roles: readonly HeldRole[], scope: string | null): Holdings {
  if (!('roleId' in recipient)) return { held: rulesIn(roles, scope), besides: [] }
  const isTheRole = ({ roleId }: HeldRole) => roleId === recipient.roleId
  return { held: rulesIn(roles.filter(isTheRole), scope), besides: rulesIn(roles.filter((role) => !isTheRole(role)), scope) }
}
