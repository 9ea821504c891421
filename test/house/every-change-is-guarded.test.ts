import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { changedInExchange, changedInRegistry } from '#libs/freshness/entities.js'

// A change that can give somebody more passes the escalation guard, or it would be the way around it. So every method that
// changes an answer is named here as guarded, or with the reason why it can give nothing. What is guarded is refused in
// test/identity-registry/escalation.test.ts and test/auth-exchange/escalation.test.ts, which are held to these names.

const GUARDED = 'passes the guard'

const registry: Record<keyof typeof changedInRegistry, string> = {
  Bootstrap: 'is called by the operator of the installation alone, and makes the organization that it gives',
  UpdateOrganization: 'changes a name that no rule speaks of',
  CreateProject: 'gives its creator a project that is new: whoever may make one is meant to have what is in it',
  UpdateProject: 'changes a name that no rule speaks of',
  DeleteProject: 'takes the scope with all that was held in it',
  CreateIdentity: GUARDED,
  UpdateIdentity: GUARDED,
  EnableIdentity: GUARDED,
  DisableIdentity: 'takes',
  DeleteIdentity: 'takes',
  CreateRole: 'gives nobody a role that is new: whoever binds it gives it',
  UpdateRole: GUARDED,
  DeleteRole: 'is refused while the role is bound',
  CreateBinding: GUARDED,
  UpdateBinding: GUARDED,
  DeleteBinding: 'takes all that the identity holds in the scope, so that there is nothing left that a deny hid',
}

const exchange: Record<keyof typeof changedInExchange, string> = {
  Bootstrap: 'is called by the operator of the installation alone',
  AttachUniversalAuth: GUARDED,
  UpdateUniversalAuth: GUARDED,
  ClearLockouts: 'forgets failures, which keep no good secret out',
  CreateClientSecret: GUARDED,
  RevokeClientSecret: 'takes',
  RevokeAccessToken: 'takes',
  RevokeAccessTokens: 'takes',
  CreatePrincipal: GUARDED,
  DeletePrincipal: 'takes',
  RotateSigningKey: 'is called by the operator of the installation alone',
  RevokeSigningKey: 'takes',
}

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : '')
const handlerOf = (service: string, method: string): string =>
  read(`services/${service}/rpc/${method.replace(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase()}.ts`)

const SERVICES = [
  { service: 'identity-registry', methods: registry, call: /\bguarded\(tx, |\bsetIdentityState\(writing, call, \{ [^}]*state: 'active'/ },
  { service: 'auth-exchange', methods: exchange, call: /\bawait coverage\.require\(caller, / },
] as const

describe.each(SERVICES)('$service', ({ service, methods, call }) => {
  const names = Object.keys(methods)
  const guarded = Object.entries(methods).filter(([, why]) => why === GUARDED).map(([name]) => name)

  // The types above hold this list to the tables of freshness: a method that is added there does not compile without a word here.
  it('has its guard in the handler of each guarded method, and in no other', () => {
    const calling = names.filter((name) => call.test(handlerOf(service, name)))
    expect(calling).toEqual(guarded)
  })

  it('is shown to refuse each guarded method to whoever does not hold what it gives', () => {
    const tests = read(`test/${service}/escalation.test.ts`)
    const shown = guarded.filter((name) => new RegExp(`^ {2}(?:'${name}\\b[^']*'|${name}): `, 'm').test(tests))
    expect(shown).toEqual(guarded)
  })
})

it('the guard of what is enabled and disabled is taken for enabling', () => {
  expect(read('services/identity-registry/rpc/set-identity-state.ts')).toMatch(/if \(state === 'active'\) return guarded\(tx, \{ caller, /)
})
