import { setTimeout as sleep } from 'node:timers/promises'
import { DomainError } from '#libs/domain-error.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { ExchangeInternalServiceService as Internal } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import { IdentityState } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { Effect } from '#libs/wire/gen/countersign/registry/v1/role.js'
import { type Asker, demandFull, subjectsOf } from './asker.js'
import { type Group, type Identity, type Scope, short, type Tools } from './group.js'
import { answerOf } from './recorder.js'
import { CALL_MILLIS } from './step.js'

// In the end everything that was acknowledged has to be there.

const ATTEMPTS = 40

export async function readBack(groups: readonly Group[], asker: Asker): Promise<void> {
  await Promise.all(groups.map((group) => readGroup(group)))
  await Promise.all(groups.map((group) => askEverywhere(group, asker)))
}

async function askEverywhere(group: Group, asker: Asker): Promise<void> {
  for (const { name } of group.tools.world.fleet.checks) {
    for (const subject of subjectsOf(group)) if (subject.kind !== 'login') await asker.askAt(name, subject, demandFull)
  }
}

/** None that was revoked is there, at no replica. */
export async function readKeys({ world, keys, recorder }: Tools): Promise<void> {
  for (const exchange of world.fleet.exchanges) {
    const there = await insisted(async () => {
      const listed = await world.operatorAt(exchange)(Internal.listSigningKeys, {}, CALL_MILLIS)
      return listed.keys.map(({ kid }) => kid).join()
    })
    for (const { kid, state } of keys.all) {
      recorder.note({ type: 'found', what: `signing key ${kid} at ${exchange.name}`, expected: state === 'revoked' ? 'absent' : 'there', found: there.includes(kid) ? 'there' : 'absent' })
    }
  }
}

type Finding = { readonly what: string; readonly expected: string; readonly read: () => Promise<string> }

async function readGroup(group: Group): Promise<void> {
  const findings = [
    ...[...group.scopes, ...group.gone].flatMap((scope) => scopeFindings(group, scope)),
    ...group.identities.flatMap((identity) => [...identityFindings(group, identity), ...secretFindings(group, identity), ...principalFindings(group, identity), ...addressFindings(group, identity)]),
  ]
  for (const { what, expected, read } of findings) {
    const found = await insisted(read)
    group.tools.recorder.note({ type: 'found', what: `${group.name}: ${what}`, expected, found })
  }
}

async function insisted(read: () => Promise<string>): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await read()
    } catch (error) {
      const isAbsent = error instanceof DomainError && error.kind === 'NOT_FOUND'
      if (isAbsent) return 'absent'
      if (attempt === ATTEMPTS) return answerOf(error)
      await sleep(50)
    }
  }
}

function scopeFindings(group: Group, { projectId, isGone, name, roles }: Scope): Finding[] {
  const rules = roles.map(({ id, effect }): Finding => ({
    what: `role ${short(id)}`,
    expected: effect,
    read: async () => {
      const role = await group.registry(Registry.getRole, { id, projectId }, CALL_MILLIS)
      if (role.rules.some((rule) => rule.effect === Effect.DENY)) return 'deny'
      return role.rules.length > 0 ? 'allow' : 'none'
    },
  }))
  if (projectId === '') return rules
  const read = async () => {
    const project = await group.registry(Registry.getProject, { id: projectId }, CALL_MILLIS)
    return name === undefined ? 'there' : project.name
  }
  return [{ what: `project ${short(projectId)}`, expected: isGone ? 'absent' : (name ?? 'there'), read }, ...rules]
}

function identityFindings(group: Group, { id, state, name, isTainted, bound }: Identity): Finding[] {
  const read = async () => {
    const identity = await group.registry(Registry.getIdentity, { id }, CALL_MILLIS)
    return `${name === undefined ? '' : identity.name} ${identity.state === IdentityState.ACTIVE ? 'active' : 'disabled'}`
  }
  const expected = state === 'deleted' ? 'absent' : `${name ?? ''} ${state}`
  const findings = [{ what: `identity ${short(id)}`, expected, read }]
  if (state === 'deleted' || isTainted) return findings
  const bindings = [...bound].filter(([, { id: bindingId }]) => bindingId !== '').map(([{ projectId }, { id: bindingId, held }]): Finding => ({
    what: `binding ${short(bindingId)}`,
    expected: held.map(({ id: roleId }) => roleId).toSorted().join(),
    read: async () => {
      const binding = await group.registry(Registry.getBinding, { id: bindingId, projectId }, CALL_MILLIS)
      return binding.roles.map(({ roleId }) => roleId).toSorted().join()
    },
  }))
  return [...findings, ...bindings]
}

/** Whose each name is, once all is done: its own identity's, or nobody's. */
function principalFindings(group: Group, { id: identityId, principals }: Identity): Finding[] {
  return principals.map(({ id, name, isThere }): Finding => ({
    what: `principal ${name}`,
    expected: isThere ? `${name} is ${id}` : 'absent',
    read: async () => {
      const page = await group.exchange(Exchange.listPrincipals, { identityId, pageSize: 200, pageToken: '' }, CALL_MILLIS)
      const found = page.principals.find((one) => one.name === name)
      return found ? `${found.name} is ${found.id}` : 'absent'
    },
  }))
}

function addressFindings(group: Group, { id: identityId, trust, tokenAuth }: Identity): Finding[] {
  const ofUniversalAuth = trust && { trust, read: () => group.exchange(Exchange.getUniversalAuth, { identityId }, CALL_MILLIS) }
  const ofTokenAuth = tokenAuth?.isSure && { trust: tokenAuth.trust, read: () => group.exchange(Exchange.getAuthMethod, { identityId, method: 'token-auth' }, CALL_MILLIS) }
  return [ofUniversalAuth, ofTokenAuth].flatMap((method): Finding[] => {
    if (!method) return []
    const { trust: { track, addresses }, read } = method
    return [{ what: track, expected: addresses.cidrs.join(), read: async () => (await read()).accessTokenTrustedIps?.cidrs.join() ?? 'none' }]
  })
}

function secretFindings(group: Group, { id: identityId, clientId, secrets }: Identity): Finding[] {
  if (clientId === '') return []
  return secrets.map(({ id, isLive }): Finding => ({
    what: `secret ${short(id)}`,
    expected: isLive ? 'live' : 'revoked',
    read: async () => {
      let pageToken = ''
      do {
        const page = await group.exchange(Exchange.listClientSecrets, { identityId, pageSize: 200, pageToken }, CALL_MILLIS)
        const found = page.clientSecrets.find((secret) => secret.id === id)
        if (found) return found.revokeTime === undefined ? 'live' : 'revoked'
        pageToken = page.nextPageToken
      } while (pageToken !== '')
      return 'absent'
    },
  }))
}
