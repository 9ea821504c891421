import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { changedInExchange, changedInRegistry } from '#libs/freshness/entities.js'
import { descriptors } from '#libs/wire/descriptors.js'

// A change that names nothing leaves every cached answer as it was: the one thing that the lease can't see. So every method
// of our protos is either in the table of what changes what, with a handler that uses its row, or here with the reason why
// it changes no answer.

const CHANGES_NO_ANSWER: Readonly<Record<string, string>> = {
  'authorization.v1.AuthorizationCheckService/Check': 'owns nothing durable',
  'authorization.v1.AuthorizationCheckService/WaitForRevision': 'owns nothing durable',
  'exchange.v1.AuthExchangeService/GetJsonWebKeySet': 'reads',
  'exchange.v1.AuthExchangeService/GetUniversalAuth': 'reads',
  'exchange.v1.AuthExchangeService/ListClientSecrets': 'reads',
  'exchange.v1.AuthExchangeService/Login': 'makes a token that nobody asked about yet; unknown is never cached',
  'exchange.v1.ExchangeInternalService/DescribeToken': 'reads',
  'feed.v1.ChangeFeedService/PullChanges': 'reads',
  ...Object.fromEntries(['Organization', 'Project', 'Identity', 'Role', 'Binding'].map((thing) => [`registry.v1.IdentityRegistryService/Get${thing}`, 'reads'])),
  ...Object.fromEntries(['Projects', 'Identities', 'Roles', 'Bindings'].map((things) => [`registry.v1.IdentityRegistryService/List${things}`, 'reads'])),
  ...Object.fromEntries(['ResolveGrants', 'ResolveRole', 'DescribeIdentity'].map((method) => [`registry.v1.RegistryInternalService/${method}`, 'reads'])),
}

const owners = {
  registry: { table: 'changedInRegistry', keys: Object.keys(changedInRegistry), rpc: 'services/identity-registry/rpc' },
  exchange: { table: 'changedInExchange', keys: Object.keys(changedInExchange), rpc: 'services/auth-exchange/rpc' },
} as const

const methods = [...descriptors]
  .flatMap((one) => (one.kind === 'service' && one.typeName.startsWith('countersign.') ? one.methods.map((method) => `${one.typeName.slice('countersign.'.length)}/${method.name}`) : []))

const fileOf = (method: string) => `${method.replace(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase()}.ts`

/** What is wrong with how a method is classified, or undefined. */
function problemOf(name: string): string | undefined {
  const [, ownerName, method = ''] = /^(\w+)\.v1\.\w+\/(\w+)$/.exec(name) ?? []
  const owner = ownerName === 'registry' || ownerName === 'exchange' ? owners[ownerName] : undefined
  const changes = owner?.keys.includes(method) === true
  if (name in CHANGES_NO_ANSWER) return changes ? `${name} is said to change no answer, and is in ${owner.table}` : undefined
  if (!owner || !changes) return `${name} is not classified: libs/freshness/entities.ts, or here with a reason`
  const file = `${owner.rpc}/${fileOf(method)}`
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const shared = text.includes(`method: '${method}'`) ? readFileSync(`${owner.rpc}/set-identity-state.ts`, 'utf8') : text
  const usesRow = text.includes(`${owner.table}.${method}(`) || shared.includes(`${owner.table}[method](`)
  return usesRow && shared.includes('feed.commit(') ? undefined : `${file} does not commit through the feed with ${owner.table}.${method}`
}

describe('every change', () => {
  it.each(methods)('%s is classified, and its handler does what is said', (name) => expect(problemOf(name)).toBeUndefined())

  it('is one of a method that exists', () => {
    const known = new Set(methods.map((name) => name.slice(name.indexOf('/') + 1)))
    expect(Object.values(owners).flatMap(({ keys }) => keys).filter((key) => !known.has(key))).toEqual([])
    expect(Object.keys(CHANGES_NO_ANSWER).filter((name) => !methods.includes(name))).toEqual([])
  })

  it('would be missed', () => {
    expect(problemOf('registry.v1.IdentityRegistryService/MergeIdentities')).toContain('is not classified')
    expect(problemOf('exchange.v1.AuthExchangeService/CreateBinding')).toContain('is not classified')
  })
})
