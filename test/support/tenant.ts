import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { ExchangeInternalServiceService as Internal } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import type { Admin } from '../../deploy/local/bootstrap.js'
import { allow, bindTo, makeProject, makeWorkload, type Workload } from './builders.js'
import { operatorOf } from './operator.js'
import type { Session, System } from './system.js'

/** An organization with one of everything, and ways to make more of each. Every name in it begins with its tag. */
export type Tenant = {
  readonly tag: string
  readonly admin: Session
  readonly organizationId: string
  /** A name that nothing in this organization has yet. */
  readonly fresh: () => string
  /** Made before `project`, so that a page can begin after it. */
  readonly earlier: { readonly projectId: string; readonly identityId: string }
  readonly projectId: string
  readonly projectName: string
  /** Custom roles; the workload has both. */
  readonly organizationRole: Named
  readonly projectRole: Named
  /** `principal` is the name of its one. */
  readonly workload: Workload & { readonly name: string; readonly principal: string; readonly token: string; readonly tokenId: string }
  readonly organizationBindingId: string
  readonly projectBindingId: string
  readonly identity: () => Promise<Versioned>
  /** An identity that is bound to nothing, its organization included. */
  readonly unboundIdentity: () => Promise<string>
  readonly project: () => Promise<Versioned>
  readonly role: (projectId: string) => Promise<Versioned>
  /** A binding of an identity of its own, to the organization where no project is given. */
  readonly binding: (projectId: string) => Promise<Versioned>
  /** A client secret of the workload. */
  readonly secretId: () => Promise<string>
  /** A principal of the workload. */
  readonly principalId: () => Promise<string>
  /** A live token of the workload. */
  readonly token: () => Promise<{ accessToken: string; tokenId: string }>
  /** A signing key of the installation that does not sign. */
  readonly preparedKid: () => Promise<string>
  /** Of a change that was just made. */
  readonly revision: () => Promise<string>
}

type Named = { readonly id: string; readonly name: string }
type Versioned = { readonly id: string; readonly etag: string }

const rules = [allow(['read'], ['secrets'])]

export async function makeTenant(system: System, tag: string, of: Admin): Promise<Tenant> {
  const admin = await system.session(of)
  let made = 0
  const fresh = () => `${tag}-${(made += 1)}`
  const { registry, exchange } = admin
  const role = (name: string, projectId: string) => registry(Registry.createRole, { projectId, name, description: '', rules })
  const earlier = {
    projectId: await makeProject(admin, `${tag}-earlier`),
    identityId: (await registry(Registry.createIdentity, { name: `${tag}-earlier`, role: '' })).id,
  }
  const projectName = `${tag}-project`
  const projectId = await makeProject(admin, projectName)
  const organizationRole = await role(`${tag}-organization-role`, '')
  const projectRole = await role(`${tag}-project-role`, projectId)
  const name = `${tag}-workload`
  const workload = await makeWorkload(admin, { name, role: organizationRole.name })
  const projectBindingId = await bindTo(admin, workload.identityId, projectId, projectRole.name)
  const bindingsOf = async (identityId: string) => {
    const { bindings } = await registry(Registry.listBindings, { projectId: '', identityId, pageSize: 0, pageToken: '' })
    return bindings
  }
  const [organizationBinding] = await bindingsOf(workload.identityId)
  const { accessToken: token, tokenId } = await system.login(workload)
  const newPrincipal = (principal: string) => exchange(Exchange.createPrincipal, { identityId: workload.identityId, name: principal })
  const principal = `spiffe://${tag}-workload`
  await newPrincipal(principal)
  const identity = () => registry(Registry.createIdentity, { name: fresh(), role: '' })
  const unboundIdentity = async () => {
    const { id } = await identity()
    for (const binding of await bindingsOf(id)) await registry(Registry.deleteBinding, { id: binding.id, projectId: '', etag: '' })
    return id
  }
  return {
    tag,
    admin,
    organizationId: of.organizationId,
    fresh,
    earlier,
    projectId,
    projectName,
    organizationRole,
    projectRole,
    workload: { ...workload, name, principal, token, tokenId },
    organizationBindingId: organizationBinding?.id ?? '',
    projectBindingId,
    identity,
    unboundIdentity,
    project: () => registry(Registry.createProject, { name: fresh() }),
    role: (inProject) => role(fresh(), inProject),
    binding: async (inProject) => {
      const id = await bindTo(admin, await unboundIdentity(), inProject, 'viewer')
      return registry(Registry.getBinding, { id, projectId: inProject })
    },
    secretId: async () => {
      const { identityId } = workload
      return (await exchange(Exchange.createClientSecret, { identityId, description: '', ttlSeconds: 0, useLimit: 0 })).clientSecret?.id ?? ''
    },
    principalId: async () => (await newPrincipal(`spiffe://${fresh()}`)).principal?.id ?? '',
    token: () => system.login(workload),
    preparedKid: async () => {
      const operator = operatorOf(system)
      const { key } = await operator(Internal.rotateSigningKey, { atOnce: false }).finally(() => operator.close())
      return key?.kid ?? ''
    },
    revision: async () => (await identity()).revision,
  }
}
