import { createPublicKey } from 'node:crypto'
import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { DescribeTokenRequest, ExchangeInternalServiceService as Internal } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import { jwtOf, loginBy, makeAttached, rejected } from '../support/assertion-methods.js'
import { makeWorkload, type Workload } from '../support/builders.js'
import { realKeyOf } from '../support/forged-tokens.js'
import { rawCallsTo, type RawCalls, reasonOf } from '../support/raw-calls.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { type Doors, doorsOf } from '../support/token-doors.js'
import { plainSecret } from '../support/untouched.js'

// Every credential is good for what it is for and for nothing else (OpenBao CVE-2026-46405, Pomerium CVE-2024-47616).

let system: System
let admin: Session
let doors: Doors
let internal: RawCalls
let workload: Workload
let wrappingToken: string
let token: string

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
  doors = doorsOf(system)
  internal = rawCallsTo(system.addresses.exchangeInternal)
  workload = await makeWorkload(admin, { name: 'holder', role: 'admin' })
  const wrapped = await admin.exchange(Exchange.createClientSecret, { identityId: workload.identityId, ...plainSecret, wrapTtlSeconds: 60 })
  wrappingToken = wrapped.wrappingToken
  token = (await system.login(workload)).accessToken
})
afterAll(async () => {
  internal.close()
  doors.close()
  await system.close()
})

const unwrap = (text: string) => system.anonymous.exchange(Exchange.unwrapClientSecret, { wrappingToken: text })

type Kind = readonly [name: string, text: () => string]

const CLIENT_SECRET: Kind = ['a client secret', () => workload.clientSecret]
const WRAPPING_TOKEN: Kind = ['a wrapping token', () => wrappingToken]
const ACCESS_TOKEN: Kind = ['an access token', () => token]
const SERVICE_SECRET: Kind = ['the secret of a service', () => system.secrets.checkCredential]
const SERVICE_CREDENTIAL: Kind = ['the credential of a service', () => `authorization-check:${system.secrets.checkCredential}`]

describe('in place of an access token', () => {
  it.each([CLIENT_SECRET, WRAPPING_TOKEN, SERVICE_SECRET, SERVICE_CREDENTIAL])('%s is refused at every door', async (_name, text) => {
    for (const door of doors.all) {
      const outcome = await door.show(text())
      expect([door.name, outcome.code, reasonOf(outcome)]).toEqual([door.name, status.UNAUTHENTICATED, 'ACCESS_TOKEN_REJECTED'])
    }
  })
})

describe('in place of a client secret', () => {
  // Three, since the fourth failure would be throttled.
  it.each([ACCESS_TOKEN, WRAPPING_TOKEN, SERVICE_SECRET])('%s is refused', async (_name, text) => {
    await expect(system.login({ ...workload, clientSecret: text() })).rejects.toMatchObject(rejected)
  })
})

describe('in place of a wrapping token', () => {
  it.each([CLIENT_SECRET, ACCESS_TOKEN, SERVICE_SECRET])('%s is refused', async (_name, text) => {
    await expect(unwrap(text())).rejects.toMatchObject({ kind: 'UNAUTHENTICATED', reason: 'WRAPPING_TOKEN_REJECTED' })
  })
})

describe('in place of the secret of a service', () => {
  it.each([CLIENT_SECRET, WRAPPING_TOKEN, ACCESS_TOKEN])('%s is refused', async (_name, text) => {
    const asked = DescribeTokenRequest.encode({ accessToken: token }).finish()
    const outcome = await internal.call(Internal.describeToken.path, asked, { 'countersign-credential': `authorization-check:${text()}` })
    expect([outcome.code, reasonOf(outcome)]).toEqual([status.UNAUTHENTICATED, 'SERVICE_CREDENTIAL_REJECTED'])
  })
})

describe('in place of an assertion', () => {
  // Who trusts our keys for logins would have access tokens renew themselves for ever. Seen to fail with at+jwt among the types of an assertion.
  it('an access token is refused, also by a method that trusts what we sign', async () => {
    const { publicJwk } = await realKeyOf(system)
    const pem = String(createPublicKey({ key: { ...publicJwk }, format: 'jwk' }).export({ type: 'spki', format: 'pem' }))
    const { identityId } = await makeAttached(admin, 'trusting', jwtOf({ issuer: 'countersign', subject: workload.identityId, publicKeys: [pem] }))
    const before = system.logged().length
    await expect(loginBy(system, 'jwtAuth', identityId, token)).rejects.toMatchObject(rejected)
    expect(system.logged().slice(before)).toContain('"login_refused":"type not allowed"')
  })

  it.each([CLIENT_SECRET, WRAPPING_TOKEN])('%s is refused', async (_name, text) => {
    await expect(loginBy(system, 'jwtAuth', workload.identityId, text())).rejects.toMatchObject(rejected)
  })
})

it('each is good where it belongs, afterwards too', async () => {
  expect((await doors.check.show(token)).code).toBe(status.OK)
  const { secret } = await unwrap(wrappingToken)
  for (const clientSecret of [workload.clientSecret, secret]) await system.login({ ...workload, clientSecret })
})
