import { calculateJwkThumbprint, createLocalJWKSet, decodeJwt, decodeProtectedHeader, importJWK, jwtVerify, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LoginResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { keyEncryptionKey, unseal } from '../../services/auth-exchange/signing/sealed-key.js'
import { invalid } from '../identity-registry/expected.js'
import { freshNames, makeWorkload, UNKNOWN_ID, type Workload } from '../support/builders.js'
import { withLowS } from '../support/forged-tokens.js'
import { HOUR } from '../support/manual-clock.js'
import { asRead } from '../support/revisions.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { anotherExchange } from './another-exchange.js'

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

const next = freshNames('workload')
const newWorkload = (): Promise<Workload> => makeWorkload(admin, { name: next() })
const newToken = async () => system.login(await newWorkload())
const byToken = (value: string) => asRead('exchange', system.anonymous.exchange(Exchange.revokeAccessToken, { target: { $case: 'accessToken', value } }))
const byId = (value: string, by = admin) => asRead('exchange', by.exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value } }))
const check = (token: string) => system.check(token, 'read', 'secrets')

const rejected = { kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' }
const tokenNotFound = { kind: 'NOT_FOUND', reason: 'TOKEN_NOT_FOUND' }

describe('RevokeAccessToken', () => {
  describe('answers', () => {
    it.each<[string, (token: LoginResponse) => Promise<unknown>]>([
      ['its holder by the token', ({ accessToken }) => byToken(accessToken)],
      ['an operator by its id', ({ tokenId }) => byId(tokenId)],
    ])('to %s, again and again, and the token is refused', async (_name, revoke) => {
      const token = await newToken()
      const { accessToken } = token
      await check(accessToken)
      for (let times = 0; times < 2; times += 1) {
        expect(await revoke(token)).toEqual({ revision: '' })
        await expect(check(accessToken)).rejects.toMatchObject(rejected)
      }
    })

    it('and other tokens of the same secret stay good', async () => {
      const workload = await newWorkload()
      const [one, other] = [await system.login(workload), await system.login(workload)]
      await byId(one.tokenId)
      expect(await check(other.accessToken)).toMatchObject({ tokenId: other.tokenId })
    })

    it('to both, for a token that has expired', async () => {
      const { accessToken, tokenId } = await newToken()
      system.clock.advance(HOUR)
      admin = await system.session(system.admin)
      expect(await byToken(accessToken)).toEqual({ revision: '' })
      expect(await byId(tokenId)).toEqual({ revision: '' })
    })
  })

  describe('refuses', () => {
    it('text that was never a token of ours', async () => {
      const { accessToken } = await newToken()
      const unsigned = accessToken.split('.').slice(0, 2).join('.')
      for (const text of ['x', `${accessToken}x`, unsigned]) await expect(byToken(text)).rejects.toMatchObject(rejected)
      expect(await check(accessToken)).toMatchObject({ identityName: expect.any(String) })
    })

    // Whoever holds the signing key, but not the database, can make these. Seen to fail without the comparison of the record
    // with the claims.
    it('tokens with a good signature that were never issued', async () => {
      const { accessToken } = await newToken()
      const claims = decodeJwt(accessToken)
      for (const forged of [{ jti: UNKNOWN_ID }, { sub: UNKNOWN_ID }, { sid: UNKNOWN_ID }, { exp: (claims.exp ?? 0) + 1 }]) {
        await expect(byToken(await signedByUs({ ...claims, ...forged }))).rejects.toMatchObject(rejected)
      }
      expect(await check(accessToken)).toMatchObject({ tokenId: claims.jti })
    })

    it('an id that is none of a token of the organization', async () => {
      const other = await system.login(await system.newOrganization())
      for (const id of [UNKNOWN_ID, other.tokenId]) await expect(byId(id)).rejects.toMatchObject(tokenNotFound)
      expect(await check(other.accessToken)).toMatchObject({ tokenId: other.tokenId })
    })

    it('a request with nothing or something wrong in it', async () => {
      await expect(admin.exchange(Exchange.revokeAccessToken, { target: undefined })).rejects.toMatchObject(invalid('target'))
      await expect(byId('x')).rejects.toMatchObject(invalid('token_id'))
      await expect(byToken('')).rejects.toMatchObject(invalid('access_token'))
    })
  })
})

describe('GetJsonWebKeySet', () => {
  const keySet = () => system.anonymous.exchange(Exchange.getJsonWebKeySet, {})

  describe('answers', () => {
    it('anybody, with public keys only, each named by its RFC 7638 thumbprint', async () => {
      const { keys } = await keySet()
      expect(keys).toHaveLength(1)
      for (const key of keys) {
        const point = { x: expect.any(String), y: expect.any(String) }
        expect(key).toEqual({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', kid: await calculateJwkThumbprint(key), ...point })
      }
    })

    it('with what jose verifies a real token by, and no other text', async () => {
      const { accessToken } = await newToken()
      const keys = createLocalJWKSet(await keySet())
      const expected = { algorithms: ['ES256'], typ: 'at+jwt', issuer: 'countersign', audience: 'countersign', currentDate: system.clock.now() }
      const { payload, protectedHeader } = await jwtVerify(accessToken, keys, expected)
      expect(payload).toEqual(decodeJwt(accessToken))
      expect(protectedHeader).toEqual(decodeProtectedHeader(accessToken))
      const [header = '', , signature = ''] = accessToken.split('.')
      const altered = [header, Buffer.from(JSON.stringify({ ...payload, sub: UNKNOWN_ID })).toString('base64url'), signature].join('.')
      await expect(jwtVerify(altered, keys, expected)).rejects.toMatchObject({ code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' })
    })

    it('with the same keys from every replica', async () => {
      const replica = await anotherExchange(system)
      try {
        expect(await replica.calls(Exchange.getJsonWebKeySet, {})).toEqual(await keySet())
      } finally {
        await replica.close()
      }
    })
  })
})

/** What whoever has stolen the signing key could make. */
async function signedByUs(claims: Record<string, unknown>): Promise<string> {
  const { rows } = await withClient(system.databases.superuserUrl, (client) =>
    client.query<{ kid: string; sealed_private_key: Buffer }>("select kid, sealed_private_key from exchange.signing_key where state = 'active'"))
  const [{ kid, sealed_private_key: sealed } = { kid: '', sealed_private_key: Buffer.alloc(0) }] = rows
  const encryption = keyEncryptionKey(Buffer.from(system.secrets.keyEncryptionKey, 'base64'))
  const key = await importJWK(JSON.parse(unseal(encryption, kid, sealed).toString()), 'ES256')
  return withLowS(await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid }).sign(key))
}
