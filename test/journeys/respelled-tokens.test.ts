import { createPublicKey, verify } from 'node:crypto'
import { createServer, type Server } from 'node:net'
import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeWorkload } from '../support/builders.js'
import { claimsOf, partsOf, realKeyOf, reissued, signed, textOf } from '../support/forged-tokens.js'
import { CLAIM_FORGERIES, type Forger, HEADER_FORGERIES, newForger } from '../support/forgeries.js'
import { anyId } from '../support/isolation.js'
import { reasonOf } from '../support/raw-calls.js'
import { HEADER_RESPELLINGS, headerOf, RESPELLINGS, withOtherSignature } from '../support/respellings.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { type Door, type Doors, doorsOf } from '../support/token-doors.js'

// A token is honoured in the one spelling that it was issued in, and only for what its record says, at every door.
// Seen to fail without isCanonicalBase64Url and without the smaller s (the spellings), and without one line of standsBehind
// (the claims of another).

let system: System
let doors: Doors
let forger: Forger
let listener: Server
let token: string
let other: Session
let elsewhere: Session
let connections = 0

beforeAll(async () => {
  system = await startSystem()
  doors = doorsOf(system)
  listener = createServer((socket) => {
    connections += 1
    socket.destroy()
  })
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done))
  const address = listener.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  forger = await newForger(await realKeyOf(system), `http://127.0.0.1:${port}/keys.json`)
  // Some of what is tried needs a character that only the other alphabet spells differently.
  do token = (await system.login(system.admin)).accessToken
  while (!/[-_]/.test(partsOf(token).signature))
  const admin = await system.session(system.admin)
  other = await system.session(await makeWorkload(admin, { name: 'other', role: 'admin' }))
  elsewhere = await system.session(await system.newOrganization())
})
afterAll(async () => {
  doors.close()
  listener.close()
  await system.close()
})

/** Every door refuses it, as it refuses a token that nobody ever issued; afterwards the token itself is as good as before. */
async function expectRefused(forged: string, reasons = ['ACCESS_TOKEN_REJECTED']): Promise<void> {
  expect(forged).not.toBe(token)
  for (const door of doors.all.filter((one) => canCarry(one, forged))) {
    const outcome = await door.show(forged)
    expect([door.name, outcome.code, reasonOf(outcome)]).toEqual([door.name, status.UNAUTHENTICATED, expect.toBeOneOf(reasons)])
  }
  expect((await doors.check.show(token)).code).toBe(status.OK)
}

/** gRPC carries visible ASCII and spaces in metadata and refuses to send anything else. */
const canCarry = ({ inMetadata }: Door, text: string): boolean => !inMetadata || /^[\x20-\x7e]*$/.test(text)

const verifies = (text: string): boolean => {
  const { header, payload, signature } = partsOf(text)
  const key = createPublicKey({ key: { ...forger.real.publicJwk }, format: 'jwk' })
  return verify('sha256', Buffer.from(`${header}.${payload}`), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
}

describe('a live token', () => {
  it('is good at every door but the one that ends it', async () => {
    for (const door of doors.all.filter(({ name }) => name !== 'RevokeAccessToken')) {
      expect([door.name, (await door.show(token)).code]).toEqual([door.name, expect.toBeOneOf([status.OK, status.NOT_FOUND])])
    }
  })

  it.each(RESPELLINGS)('is refused with %s', async (_spelling, respelled) => {
    // With spaces around it, the authorization metadata names no token at all.
    await expectRefused(respelled(token), ['ACCESS_TOKEN_REJECTED', 'ACCESS_TOKEN_MISSING'])
  })

  it.each(HEADER_RESPELLINGS)('is refused when the real key signs its header with %s', async (_spelling, respelled) => {
    const forged = signed(forger.real.key, respelled(headerOf(token)), textOf(partsOf(token).payload))
    expect(verifies(forged)).toBe(true)
    await expectRefused(forged)
  })

  it('has a second signature that verifies as the first does', () => {
    expect([verifies(token), verifies(withOtherSignature(token))]).toEqual([true, true])
  })
})

describe('a forged token', () => {
  it.each(HEADER_FORGERIES)('is refused with %s', async (_forgery, forge) => {
    await expectRefused(forge(token, forger))
  })

  it('makes nobody look for its key', () => {
    expect(connections).toBe(0)
  })
})

describe('a token that the real key signed', () => {
  it('is good with the claims that it was issued with, or an earlier end', async () => {
    const { exp } = claimsOf(token)
    for (const claims of [{}, { exp: exp - 1 }]) expect((await doors.check.show(reissued(forger.real, token, claims))).code).toBe(status.OK)
  })

  it.each(CLAIM_FORGERIES)('is refused with %s', async (_forgery, forge) => {
    await expectRefused(forge(token, forger))
  })

  it.each([
    ['the identity of another', () => ({ sub: claimsOf(other.token).sub })],
    ['the credential of another', () => ({ sid: claimsOf(other.token).sid })],
    ['the identity and the credential of another', () => ({ sub: claimsOf(other.token).sub, sid: claimsOf(other.token).sid })],
    ['another organization', () => ({ org: claimsOf(elsewhere.token).org })],
    ['another organization and its identity', () => ({ org: claimsOf(elsewhere.token).org, sub: claimsOf(elsewhere.token).sub })],
    ['the jti of another', () => ({ jti: claimsOf(other.token).jti })],
    ['the jti of another organization', () => ({ jti: claimsOf(elsewhere.token).jti })],
    ['a jti that nobody was given', () => ({ jti: anyId() })],
  ])('is refused with %s', async (_forgery, claims) => {
    await expectRefused(reissued(forger.real, token, claims()))
    for (const { token: theirs } of [other, elsewhere]) expect((await doors.check.show(theirs)).code).toBe(status.OK)
  })
})

describe('what no token can be', () => {
  it('is refused as bearer, however long', async () => {
    for (const door of doors.all.filter(({ inMetadata }) => inMetadata)) {
      expect([door.name, (await door.show(token.padEnd(5000, 'A'))).code]).toEqual([door.name, status.UNAUTHENTICATED])
    }
  })
})
