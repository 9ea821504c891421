import { decodeProtectedHeader } from 'jose'
import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import type { RevokeAccessTokensRequest } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { ExchangeInternalServiceService as Internal } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { freshNames, makeWorkload, type Workload } from '../support/builders.js'
import type { Calls } from '../support/calls.js'
import { HOUR } from '../support/manual-clock.js'
import { operatorOf } from '../support/operator.js'
import { reasonOf } from '../support/raw-calls.js'
import { type Credentials, type Session, startSystem, type System } from '../support/system.js'
import { type Doors, doorsOf } from '../support/token-doors.js'

// What was ended is ended at every door, whatever ended it: with others one way went on (Keycloak CVE-2023-0091 and
// CVE-2026-8922, Casdoor CVE-2026-9097, Vault CVE-2022-41316).

let system: System
let doors: Doors
let operator: Calls

beforeAll(async () => {
  system = await startSystem()
  doors = doorsOf(system)
  operator = operatorOf(system)
})
afterAll(async () => {
  operator.close()
  doors.close()
  await system.close()
})

type Lineage = Workload & { readonly owner: Credentials; readonly admin: Session; readonly tokenId: string; readonly texts: readonly string[] }

const next = freshNames('workload')

/** A token that may do everything in an organization of its own, and its renewal. */
async function newLineage(): Promise<Lineage> {
  const owner = await system.newOrganization()
  const admin = await system.session(owner)
  const workload = await makeWorkload(admin, { name: next(), role: 'admin' })
  const { accessToken, tokenId } = await system.login(workload)
  system.clock.advance(1_000)
  const renewed = await system.anonymous.exchange(Exchange.renewAccessToken, { accessToken })
  return { ...workload, owner, admin, tokenId, texts: [accessToken, renewed.accessToken] }
}

const revokeAll = ({ admin }: Lineage, of: RevokeAccessTokensRequest['of']) => admin.exchange(Exchange.revokeAccessTokens, { of })

type End = (lineage: Lineage) => Promise<{ readonly revision: string }>

const ENDS: readonly (readonly [string, End])[] = [
  ['its holder revoked it', ({ texts: [value = ''] }) => system.anonymous.exchange(Exchange.revokeAccessToken, { target: { $case: 'accessToken', value } })],
  ['an operator revoked it', ({ admin, tokenId: value }) => admin.exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value } })],
  ['all of its secret were revoked', (lineage) => revokeAll(lineage, { $case: 'clientSecret', value: { identityId: lineage.identityId, id: lineage.secretId } })],
  ['all of its method were revoked', (lineage) => revokeAll(lineage, { $case: 'authMethod', value: { identityId: lineage.identityId, method: 'universal-auth' } })],
  ['all of its identity were revoked', (lineage) => revokeAll(lineage, { $case: 'identityId', value: lineage.identityId })],
  ['all of its organization were revoked', (lineage) => revokeAll(lineage, { $case: 'organization', value: {} })],
  ['its secret was revoked', ({ admin, identityId, secretId: id }) => admin.exchange(Exchange.revokeClientSecret, { identityId, id })],
  ['its method was removed', ({ admin, identityId }) => admin.exchange(Exchange.removeAuthMethod, { identityId, method: 'universal-auth' })],
  ['its identity was disabled', ({ admin, identityId: id }) => admin.registry(Registry.disableIdentity, { id })],
  ['its identity was deleted', ({ admin, identityId: id }) => admin.registry(Registry.deleteIdentity, { id, etag: '' })],
  ['the key that signed it was revoked', async ({ texts: [text = ''] }) => {
    await operator(Internal.rotateSigningKey, { atOnce: true })
    return operator(Internal.revokeSigningKey, { kid: decodeProtectedHeader(text).kid ?? '' })
  }],
]

/** What each door says to a text of a token. One that was revoked may be revoked again. */
async function told(text: string): Promise<string[]> {
  const answers: string[] = []
  for (const door of doors.all.filter(({ name }) => name !== 'RevokeAccessToken')) {
    const outcome = await door.show(text)
    answers.push(`${door.name}: ${reasonOf(outcome) ?? status[outcome.code]}`)
  }
  return answers
}

async function isActive(text: string, by: Session): Promise<boolean> {
  const { active } = await by.exchange(Exchange.introspectAccessToken, { accessToken: text })
  return active
}

describe('every door refuses a token, and its renewal, once', () => {
  it.each(ENDS)('%s', async (_name, end) => {
    const lineage = await newLineage()
    for (const text of lineage.texts) {
      expect(await told(text)).toEqual(['Check: OK', 'a management call to identity-registry: OK', expect.stringMatching('_NOT_FOUND$'), 'RenewAccessToken: OK'])
      expect(await isActive(text, lineage.admin)).toBe(true)
    }
    const { revision } = await end(lineage)
    await system.anonymous.check(Check.waitForRevision, { revision })
    await expectEnded(lineage)
  })

  it('it has expired', async () => {
    const lineage = await newLineage()
    system.clock.advance(24 * HOUR)
    await expectEnded(lineage)
  })
})

async function expectEnded({ owner, texts }: Lineage): Promise<void> {
  // That of before may have ended with it.
  const admin = await system.session(owner)
  for (const text of texts) {
    for (const answer of await told(text)) expect(answer).toMatch(/: ACCESS_TOKEN_REJECTED$/)
    expect(await isActive(text, admin)).toBe(false)
  }
}
