import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import type { Rule } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { RegistryInternalServiceService as Internal } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import { escalation } from '../identity-registry/expected.js'
import { allow, bindTo, deny, forEver, freshNames, makeProject, makeWorkload, type Workload } from '../support/builders.js'
import { asService, type Calls, callsTo } from '../support/calls.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { heldTransaction } from './held-transaction.js'

// Whoever gives something must hold it when the gift is committed, not when it was looked up. Every change writes to the audit
// table last: while that is locked, a change has read and written everything and is not committed, and others come.

let system: System
let admin: Session
let exchange: Calls
let projectId: string

const next = freshNames('thing')
const manage = allow(['create', 'update', 'delete'], ['identity', 'role', 'binding'])
const readSecrets = allow(['read'], ['secrets'])

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  projectId = await makeProject(admin, 'shop')
  exchange = callsTo(system.addresses.registryInternal, asService('auth-exchange', system.secrets.exchangeCredential))
})
afterAll(async () => {
  exchange.close()
  await system.close()
})

const makeRole = (...rules: Rule[]) => admin.registry(Registry.createRole, { projectId, name: next(), description: '', rules })
const makeIdentity = async () => (await admin.registry(Registry.createIdentity, { name: next(), role: '' })).id

/** Holds, in the project, `readSecrets` by a role of its own, and manages everything there and in the organization. */
type Granter = Workload & { readonly session: Session; readonly roleId: string; readonly bindingId: string }
let granter: Granter

beforeEach(async () => {
  const organizationRole = await admin.registry(Registry.createRole, { projectId: '', name: next(), description: '', rules: [manage] })
  const workload = await makeWorkload(admin, { name: next(), role: organizationRole.name })
  const role = await makeRole(manage, readSecrets)
  const bindingId = await bindTo(admin, workload.identityId, projectId, role.name)
  granter = { ...workload, session: await system.session(workload), roleId: role.id, bindingId }
})

type Change = () => Promise<unknown>

/** Each comes when the one before has done everything but commit, or waits; what they wait for, and how all ended. */
function racing(...changes: readonly Change[]): Promise<{ locks: string[]; outcomes: PromiseSettledResult<unknown>[] }> {
  return heldTransaction(system.databases.superuserUrl, async (held) => {
    await held.run('lock table registry.audit_event in share mode')
    const underWay: Promise<unknown>[] = []
    for (const change of changes) {
      const made = change()
      // Its outcome is looked at in the end.
      made.catch(() => undefined)
      underWay.push(made)
      await held.awaited(underWay.length)
    }
    const locks = await held.awaitedLocks()
    await held.commit()
    return { locks, outcomes: await Promise.allSettled(underWay) }
  })
}

const done = { status: 'fulfilled' }
const refused = { status: 'rejected', reason: expect.objectContaining(escalation) }

/** Ways to take `readSecrets` from the granter. */
const narrowings: Record<string, () => Change> = {
  'UpdateRole takes it from the role': () => () =>
    admin.registry(Registry.updateRole, { id: granter.roleId, projectId, description: '', rules: [manage], etag: '' }),
  'UpdateRole denies it': () => () =>
    admin.registry(Registry.updateRole, { id: granter.roleId, projectId, description: '', rules: [manage, readSecrets, deny(['read'], ['secrets'])], etag: '' }),
  'UpdateBinding takes the role': () => () => admin.registry(Registry.updateBinding, { id: granter.bindingId, projectId, roles: [forEver('no-access')], etag: '' }),
  'DeleteBinding takes all in the project': () => () => admin.registry(Registry.deleteBinding, { id: granter.bindingId, projectId, etag: '' }),
  DisableIdentity: () => () => admin.registry(Registry.disableIdentity, { id: granter.identityId }),
  DeleteIdentity: () => () => admin.registry(Registry.deleteIdentity, { id: granter.identityId, etag: '' }),
}

/** Ways in which the granter gives `readSecrets` to somebody. */
const gifts: Record<string, () => Promise<Change>> = {
  CreateBinding: async () => {
    const [identityId, { name }] = [await makeIdentity(), await makeRole(readSecrets)]
    return () => granter.session.registry(Registry.createBinding, { identityId, projectId, roles: [forEver(name)] })
  },
  UpdateBinding: async () => {
    const [id, { name }] = [await bindTo(admin, await makeIdentity(), projectId, 'no-access'), await makeRole(readSecrets)]
    return () => granter.session.registry(Registry.updateBinding, { id, projectId, roles: [forEver(name)], etag: '' })
  },
  UpdateRole: async () => {
    const { id, name } = await makeRole()
    await bindTo(admin, await makeIdentity(), projectId, name)
    return () => granter.session.registry(Registry.updateRole, { id, projectId, description: '', rules: [readSecrets], etag: '' })
  },
  EnableIdentity: async () => {
    const [id, { name }] = [await makeIdentity(), await makeRole(readSecrets)]
    await bindTo(admin, id, projectId, name)
    await admin.registry(Registry.disableIdentity, { id })
    return () => granter.session.registry(Registry.enableIdentity, { id })
  },
  UpdateIdentity: async () => {
    const [id, { name }] = [await makeIdentity(), await makeRole(allow(['read'], ['secrets'], { attribute: 'owner', eq: '{{identity.name}}' }))]
    await bindTo(admin, id, projectId, name)
    return () => granter.session.registry(Registry.updateIdentity, { id, name: next(), etag: '' })
  },
}

const pairs = Object.entries(gifts).flatMap(([gift, prepare]) => Object.entries(narrowings).map(([narrowing, narrow]) => ({ gift, prepare, narrowing, narrow })))

// Seen to fail with the locks of the guard taken out, with those of roles or of identities alone, and, for the bindings, with
// the lock of their holder.
describe('while the granter loses what it gives', () => {
  it.each(pairs)('$gift waits, and is refused: $narrowing', async ({ prepare, narrow }) => {
    const give = await prepare()
    const { outcomes } = await racing(narrow(), give)
    expect(outcomes).toMatchObject([done, refused])
  })

  it.each(Object.entries(narrowings))('no credential of whoever holds it is covered: %s', async (_name, narrow) => {
    const [identityId, { name }] = [await makeIdentity(), await makeRole(readSecrets)]
    await bindTo(admin, identityId, projectId, name)
    const request = { organizationId: system.admin.organizationId, callerIdentityId: granter.identityId, identityId, resource: 'client-secret' }
    expect(await exchange(Internal.checkCoverage, request)).toEqual({ missingRules: [], missingCount: 0 })
    const { outcomes } = await racing(narrow(), () => exchange(Internal.checkCoverage, request))
    expect(outcomes).toMatchObject([done, { ...done, value: { missingRules: [{ role: name }] } }])
  })
})

describe('while the granter gives it', () => {
  it.each(pairs)('what would take it waits until it is given: $gift, $narrowing', async ({ prepare, narrow }) => {
    const give = await prepare()
    const { locks, outcomes } = await racing(give, narrow())
    // The one waits for the audit table alone, the other for the one.
    expect(locks).toEqual(['advisory', 'relation'])
    expect(outcomes).toMatchObject([done, done])
  })
})

describe('a flood of gifts', () => {
  // Seen to fail with row locks, FOR SHARE against FOR UPDATE, in place of anchors.
  it.each(Object.entries(narrowings))('keeps nobody from stopping the granter: who comes after that is refused, %s', async (_name, narrow) => {
    const [first, later] = [await gifts.CreateBinding?.(), await gifts.UpdateBinding?.()]
    if (!first || !later) throw new Error('no gifts')
    const { outcomes } = await racing(first, narrow(), later)
    expect(outcomes).toMatchObject([done, done, refused])
  })

  it('waits for a change that touches more than there can be locks for', async () => {
    const id = await makeIdentity()
    for (let count = 0; count < 101; count += 1) {
      const project = await makeProject(admin, next())
      for (const identityId of [id, granter.identityId]) await bindTo(admin, identityId, project, 'viewer')
    }
    await admin.registry(Registry.disableIdentity, { id })
    const give = await gifts.CreateBinding?.()
    if (!give) throw new Error('no gift')
    const { locks, outcomes } = await racing(() => granter.session.registry(Registry.enableIdentity, { id }), give)
    expect(locks).toEqual(['advisory', 'relation'])
    expect(outcomes).toMatchObject([done, done])
  })
})

describe('what waits for a lock', () => {
  /** While somebody else changes it, and does not end. */
  const whileHeld = <T>(anchor: string, work: () => Promise<T>): Promise<T> =>
    heldTransaction(system.databases.superuserUrl, async (held) => {
      await held.run('select pg_advisory_xact_lock_shared(hashtextextended($1, 0))', [anchor])
      return work()
    })

  // Seen to fail with CheckCoverage on the pool of internal reads.
  it('keeps no check from being answered, however many credentials wait', async () => {
    const [identityId, { name }] = [await makeIdentity(), await makeRole(readSecrets)]
    await bindTo(admin, identityId, projectId, name)
    const request = { organizationId: system.admin.organizationId, callerIdentityId: granter.identityId, identityId, resource: 'client-secret' }
    await heldTransaction(system.databases.superuserUrl, async (held) => {
      await held.run('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`registry/identity/${identityId}`])
      const waiting = Array.from({ length: 14 }, () => exchange(Internal.checkCoverage, request, 1_500).catch(() => undefined))
      await held.awaited(10)
      const { accessToken } = await system.login(granter)
      expect(await system.check(accessToken, 'read', 'secrets', { projectId })).toMatchObject({ allowed: true })
      await held.commit()
      await Promise.all(waiting)
    })
  })

  // Seen to fail with the scope asserted behind the locks.
  it.each([
    ['UpdateRole', 'role', (id: string) => admin.registry(Registry.updateRole, { id, projectId: '', description: '', rules: [], etag: '' }, 1_500)],
    ['DeleteRole', 'role', (id: string) => admin.registry(Registry.deleteRole, { id, projectId: '', etag: '' }, 1_500)],
  ] as const)('is nothing of another scope: %s answers at once that it is not there', async (_name, kind, call) => {
    const { id } = await makeRole(readSecrets)
    await whileHeld(`registry/${kind}/${id}`, () => expect(call(id)).rejects.toMatchObject({ kind: 'NOT_FOUND', reason: 'ROLE_NOT_FOUND' }))
  })
})

describe('while a role is edited that nobody holds', () => {
  it('a binding of it waits, and is refused for what it has become', async () => {
    const [role, identityId] = [await makeRole(readSecrets), await makeIdentity()]
    const widen = () => granter.session.registry(Registry.updateRole, { id: role.id, projectId, description: '', rules: [allow(['*'], ['*'])], etag: '' })
    const bind = () => granter.session.registry(Registry.createBinding, { identityId, projectId, roles: [forEver(role.name)] })
    expect((await racing(widen, bind)).outcomes).toMatchObject([done, refused])
  })

  it('and while it is bound, an edit waits, and is refused since it is held', async () => {
    const [role, identityId] = [await makeRole(readSecrets), await makeIdentity()]
    const widen = () => granter.session.registry(Registry.updateRole, { id: role.id, projectId, description: '', rules: [allow(['*'], ['*'])], etag: '' })
    const bind = () => granter.session.registry(Registry.createBinding, { identityId, projectId, roles: [forEver(role.name)] })
    expect((await racing(bind, widen)).outcomes).toMatchObject([done, refused])
  })
})

describe('while the recipient loses the deny that the granter has too', () => {
  const never = deny(['read'], ['secrets'], { attribute: 'path', glob: '/never/**' })
  const prepared = async () => {
    await admin.registry(Registry.updateRole, { id: granter.roleId, projectId, description: '', rules: [manage, readSecrets, never], etag: '' })
    const [denying, reading] = [await makeRole(never), await makeRole(readSecrets)]
    const bindingId = await bindTo(admin, await makeIdentity(), projectId, denying.name)
    const give = () => granter.session.registry(Registry.updateBinding, { id: bindingId, projectId, roles: [denying.name, reading.name].map(forEver), etag: '' })
    return { denying, bindingId, give }
  }

  it('with it, what it is about is given', async () => {
    await (await prepared()).give()
  })

  it('a gift waits, and is refused, where the role loses it', async () => {
    const { denying, give } = await prepared()
    const lose = () => admin.registry(Registry.updateRole, { id: denying.id, projectId, description: '', rules: [], etag: '' })
    expect((await racing(lose, give)).outcomes).toMatchObject([done, refused])
  })

  it('and while it is given, whoever takes the deny waits, and is refused for what comes to light', async () => {
    const { denying, give } = await prepared()
    const lose = () => granter.session.registry(Registry.updateRole, { id: denying.id, projectId, description: '', rules: [], etag: '' })
    expect((await racing(give, lose)).outcomes).toMatchObject([done, refused])
  })
})
