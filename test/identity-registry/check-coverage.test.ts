import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Obstacle } from '#libs/wire/gen/countersign/registry/v1/escalation.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { RegistryInternalServiceService as Internal } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import type { Rule } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { allow, bindTo, forEver, freshNames, makeProject, UNKNOWN_ID } from '../support/builders.js'
import { asService, type Calls, callsTo } from '../support/calls.js'
import { HOUR } from '../support/manual-clock.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { invalid } from './expected.js'

let system: System
let admin: Session
let exchange: Calls
let projectId: string

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

const next = freshNames('thing')
const readSecrets = allow(['read'], ['secrets'])
const readSome = allow(['read'], ['secrets'], { attribute: 'path', glob: '/some/**' })

/** A role of these rules, by name. */
const role = async (scope: string, ...rules: Rule[]) => (await admin.registry(Registry.createRole, { projectId: scope, name: next(), description: '', rules })).name

/** An identity that holds these rules in the organization and in the project. */
async function holder({ there = [], here = [] }: { there?: Rule[]; here?: Rule[] } = {}): Promise<string> {
  const { id } = await admin.registry(Registry.createIdentity, { name: next(), role: await role('', ...there) })
  await bindTo(admin, id, projectId, await role(projectId, ...here))
  return id
}

const ask = async (callerIdentityId: string, identityId: string, resource = 'client-secret') =>
  (await exchange(Internal.checkCoverage, { organizationId: system.admin.organizationId, callerIdentityId, identityId, resource })).missingRules

describe('CheckCoverage', () => {
  describe('answers', () => {
    it('with all that the one holds and the other does not, wherever it is, now or later', async () => {
      const id = await holder({ here: [readSome, readSecrets] })
      const { bindings } = await admin.registry(Registry.listBindings, { projectId: '', identityId: id, pageSize: 0, pageToken: '' })
      const own = bindings.find((one) => one.projectId === '')
      const [later, startTime] = [await role('', readSome, readSecrets), new Date(system.clock.now().getTime() + HOUR)]
      await admin.registry(Registry.updateBinding, { id: own?.id ?? '', projectId: '', roles: [{ ...forEver(later), startTime }], etag: '' })
      expect(await ask(await holder({ there: [readSome], here: [readSome] }), id)).toMatchObject([
        { projectId, rule: readSecrets, startTime: undefined, obstacle: Obstacle.NOT_HELD },
        { projectId: '', role: later, rule: readSecrets, startTime, obstacle: Obstacle.NOT_HELD },
      ])
    })

    it('with nothing where the one holds all that the other does', async () => {
      expect(await ask(await holder({ here: [readSecrets] }), await holder({ here: [readSome] }))).toEqual([])
    })

    it('with nothing where the one has grant on that resource of that identity', async () => {
      const id = await holder()
      await bindTo(admin, id, await makeProject(admin, next()), 'admin')
      expect(await ask(await holder(), id)).toHaveLength(1)
      const granting = await holder({ there: [allow(['grant'], ['client-secret'], { attribute: 'identity.id', eq: id })] })
      expect(await ask(granting, id)).toEqual([])
      expect(await ask(granting, id, 'auth-method')).toHaveLength(1)
      const other = await holder({ there: [allow(['grant'], ['client-secret'], { attribute: 'identity.id', eq: UNKNOWN_ID })] })
      expect(await ask(other, id)).toHaveLength(1)
    })

    it('as if a disabled, deleted or unknown caller held nothing', async () => {
      const [id, caller] = [await holder({ here: [readSome] }), await holder({ here: [readSecrets] })]
      expect(await ask(caller, id)).toEqual([])
      await admin.registry(Registry.disableIdentity, { id: caller })
      expect(await ask(caller, id)).toHaveLength(1)
      await admin.registry(Registry.deleteIdentity, { id: caller, etag: '' })
      for (const nobody of [caller, UNKNOWN_ID]) expect(await ask(nobody, id)).toHaveLength(1)
    })

    it('with all that a disabled identity is bound to, which somebody may enable', async () => {
      const id = await holder({ here: [readSecrets] })
      await admin.registry(Registry.disableIdentity, { id })
      expect(await ask(await holder(), id)).toHaveLength(1)
    })

    it('with nothing about an identity that is not there', async () => expect(await ask(await holder(), UNKNOWN_ID)).toEqual([]))
  })

  it('refuses a request with everything wrong, naming all of it', async () => {
    const wrong = exchange(Internal.checkCoverage, { organizationId: '', callerIdentityId: '', identityId: '', resource: 'Client Secret' })
    await expect(wrong).rejects.toMatchObject(invalid('organization_id', 'caller_identity_id', 'identity_id', 'resource'))
  })
})
