import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { changedInExchange, changedInRegistry } from '#libs/freshness/entities.js'
import { METHODS } from '../support/wire.js'

// A change that no entity is named for is a wrong answer for ever: a copy of before stays good. So every method of the
// protos is either named in the table of freshness, under its own name, or here, with the reason why it changes no answer.

const READS = 'reads'

const CHANGES_NO_ANSWER = new Map([
  ['IdentityRegistryService.GetOrganization', READS],
  ['IdentityRegistryService.GetProject', READS],
  ['IdentityRegistryService.ListProjects', READS],
  ['IdentityRegistryService.GetIdentity', READS],
  ['IdentityRegistryService.ListIdentities', READS],
  ['IdentityRegistryService.GetRole', READS],
  ['IdentityRegistryService.ListRoles', READS],
  ['IdentityRegistryService.GetBinding', READS],
  ['IdentityRegistryService.ListBindings', READS],
  ['IdentityRegistryService.ListAuditEvents', READS],
  ['RegistryInternalService.ResolveGrants', READS],
  ['RegistryInternalService.ResolveRole', READS],
  ['RegistryInternalService.DescribeIdentity', READS],
  ['RegistryInternalService.CheckCoverage', READS],
  ['AuthExchangeService.GetUniversalAuth', READS],
  ['AuthExchangeService.ListLockouts', READS],
  ['AuthExchangeService.GetClientSecret', READS],
  ['AuthExchangeService.GetAuthMethod', READS],
  ['AuthExchangeService.ListAuthMethods', READS],
  ['AuthExchangeService.ListClientSecrets', READS],
  ['AuthExchangeService.UnwrapClientSecret', 'hands over a secret that was good before'],
  ['AuthExchangeService.ListPrincipals', READS],
  ['AuthExchangeService.GetJsonWebKeySet', READS],
  ['AuthExchangeService.Login', 'adds a token that nobody could have asked about, and spends a use that no answer shows'],
  ['AuthExchangeService.RenewAccessToken', 'adds a text that nobody could have asked about, and leaves every other one as it was'],
  ['AuthExchangeService.CreateAccessToken', 'adds a token that nobody could have asked about'],
  ['AuthExchangeService.IntrospectAccessToken', READS],
  ['AuthExchangeService.ListAccessTokens', READS],
  ['AuthExchangeService.ListAuditEvents', READS],
  ['ExchangeInternalService.DescribeToken', READS],
  ['ExchangeInternalService.ConsumeUse', 'spends a use that no answer shows: whoever allows asks for one each time'],
  ['ExchangeInternalService.DescribePrincipal', READS],
  ['ExchangeInternalService.ListSigningKeys', READS],
  ['AuthorizationCheckService.Check', 'authorization-check owns nothing'],
  ['AuthorizationCheckService.WaitForRevision', 'authorization-check owns nothing'],
  ['ChangeFeedService.PullChanges', READS],
])

type Owner = { readonly table: string; readonly services: readonly string[]; readonly folder: string; readonly names: readonly string[] }

const OWNERS: readonly Owner[] = [
  { table: 'changedInRegistry', services: ['IdentityRegistryService', 'RegistryInternalService'], folder: 'identity-registry', names: Object.keys(changedInRegistry) },
  { table: 'changedInExchange', services: ['AuthExchangeService', 'ExchangeInternalService'], folder: 'auth-exchange', names: Object.keys(changedInExchange) },
]

const root = join(import.meta.dirname, '../..')
const kebab = (method: string): string => method.replace(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase()

/** Everything in which methods, the table of freshness and the list above are out of step. */
function unclassified(methods: readonly { readonly service: string; readonly name: string }[], owners: readonly Owner[]): string[] {
  const isNamed = ({ service, name }: { service: string; name: string }) => owners.some(({ services, names }) => services.includes(service) && names.includes(name.slice(service.length + 1)))
  return [
    ...methods.filter((method) => isNamed(method) === CHANGES_NO_ANSWER.has(method.name)).map(({ name }) => `${name} must be named in entities.ts, or in this file`),
    ...[...CHANGES_NO_ANSWER.keys()].filter((name) => !methods.some((method) => method.name === name)).map((name) => `${name} is none of the protos`),
    ...owners.flatMap(({ table, services, names }) =>
      names.filter((name) => !methods.some((method) => services.some((service) => method.name === `${service}.${name}`))).map((name) => `${table}.${name} is no method of the protos`)),
  ]
}

/** Whether the text of a handler says what it changes: by its own key, or as what it shares with another handler does. */
const namesItsChange = (text: string, table: string, name: string): boolean =>
  new RegExp(`\\bchanged\\([^\\n]*\\b${table}\\.${name}\\(`).test(text) || (text.includes('setIdentityState(') && text.includes(`method: '${name}'`))

const handler = (folder: string, name: string): string => {
  const path = join(root, 'services', folder, 'rpc', `${kebab(name)}.ts`)
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

const sourcesOf = (folder: string): { path: string; text: string }[] =>
  readdirSync(join(root, 'services', folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => ({ path: `${folder}/${file}`, text: readFileSync(join(root, 'services', folder, file), 'utf8') }))

describe('every method', () => {
  it('is named in the table of freshness, or has a reason why it changes no answer', () => {
    expect(METHODS.length).toBeGreaterThan(40)
    expect(unclassified(METHODS, OWNERS)).toEqual([])
  })

  it('that is new, and every key and reason that has no method, would be found', () => {
    const renamed = METHODS.map((method) => (method.name === 'AuthExchangeService.RevokeAccessToken' ? { ...method, name: 'AuthExchangeService.RevokeEverything' } : method))
    expect(unclassified(renamed, OWNERS)).toEqual(['AuthExchangeService.RevokeEverything must be named in entities.ts, or in this file', 'changedInExchange.RevokeAccessToken is no method of the protos'])
    const without = METHODS.filter(({ name }) => name !== 'AuthExchangeService.Login')
    expect(unclassified(without, OWNERS)).toEqual(['AuthExchangeService.Login is none of the protos'])
    const both = OWNERS.map((owner) => ({ ...owner, names: [...owner.names, ...(owner.folder === 'auth-exchange' ? ['Login'] : [])] }))
    expect(unclassified(METHODS, both)).toEqual(['AuthExchangeService.Login must be named in entities.ts, or in this file'])
  })
})

describe.each(OWNERS)('$folder', ({ table, folder, names }) => {
  it('says in the handler of each change what it changes, by its own key', () => {
    expect(names.filter((name) => !namesItsChange(handler(folder, name), table, name))).toEqual([])
  })

  // Seen to fail with a handler that opens a transaction of its own.
  it('commits nothing but through its feed, except a login, a token that is made, a renewal, a use, an unwrapping and a guarded read, which change no answer, and what follows a restore, which voids all', () => {
    const sources = sourcesOf(folder)
    const commits = sources.filter(({ text }) => /\b(?:inTransaction|repeating|sharedCommits)\(|\.transaction\(\)/.test(text)).map(({ path }) => path)
    const silently = folder === 'auth-exchange' ? ['consume-use', 'create-access-token', 'issue-login', 'unwrap-client-secret'] : ['check-coverage']
    const ledgers = folder === 'auth-exchange' ? ['store/login-ledger', 'store/renewals'] : []
    expect(commits.toSorted()).toEqual(['operations/restored', ...silently.map((name) => `rpc/${name}`), ...ledgers].map((path) => `${folder}/${path}.ts`))
    const silent = sources.filter(({ text }) => text.includes('.commit(') && !/\bchanged\(/.test(text)).map(({ path }) => path)
    expect(silent).toEqual([])
  })
})

describe('what two handlers share', () => {
  it('takes the key of the method that was called', () => {
    const shared = readFileSync(join(root, 'services/identity-registry/rpc/set-identity-state.ts'), 'utf8')
    expect(shared).toContain('changed(caller.organizationId, changedInRegistry[method](id))')
  })

  it('that names something else would be found', () => {
    expect(namesItsChange('changed(organizationId, changedInRegistry.CreateRole(id))', 'changedInRegistry', 'UpdateRole')).toBe(false)
    expect(namesItsChange('// changedInRegistry.UpdateRole(id)', 'changedInRegistry', 'UpdateRole')).toBe(false)
    expect(namesItsChange('changed(organizationId, changedInRegistry.UpdateRole(id))', 'changedInRegistry', 'UpdateRole')).toBe(true)
  })
})
