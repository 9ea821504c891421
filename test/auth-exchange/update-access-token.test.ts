import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { invalid } from '../identity-registry/expected.js'
import { freshNames, makeWorkload, UNKNOWN_ID } from '../support/builders.js'
import { asRead } from '../support/revisions.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { makeToken, makeTokenAuth } from '../support/token-auth.js'

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

const next = freshNames('workload')
const rename = (tokenId: string, name: string) => asRead('exchange', admin.exchange(Exchange.updateAccessToken, { tokenId, name }))
const list = async (identityId: string) => (await admin.exchange(Exchange.listAccessTokens, { identityId, pageSize: 0, pageToken: '' })).accessTokens

describe('UpdateAccessToken', () => {
  it('answers with the token by its new name and everything else as it was, and it stays good', async () => {
    const { identityId } = await makeTokenAuth(admin, { name: next() })
    const { accessToken, tokenId } = await makeToken(admin, { identityId }, 'before')
    const [before] = await list(identityId)
    const renamed = await rename(tokenId, 'after')
    expect(renamed).toEqual({ ...before, name: 'after' })
    expect(await list(identityId)).toEqual([renamed])
    expect(await system.check(accessToken, 'read', 'secrets')).toMatchObject({ tokenId })
  })

  describe('refuses', () => {
    it('a token that there is not, or that is of another organization', async () => {
      const foreigner = await system.session(await system.newOrganization())
      const { identityId } = await makeTokenAuth(foreigner, { name: next() })
      const { tokenId } = await makeToken(foreigner, { identityId })
      for (const id of [UNKNOWN_ID, tokenId]) await expect(rename(id, 'mine')).rejects.toMatchObject({ kind: 'NOT_FOUND', reason: 'TOKEN_NOT_FOUND' })
    })

    it('a token that a login obtained', async () => {
      const { tokenId } = await system.login(await makeWorkload(admin, { name: next() }))
      await expect(rename(tokenId, 'mine')).rejects.toMatchObject({ kind: 'FAILED_PRECONDITION', reason: 'TOKEN_NOT_NAMED', metadata: { id: tokenId } })
    })

    it('a request with everything wrong, naming all of it', async () => {
      await expect(rename('x', ' ')).rejects.toMatchObject(invalid('token_id', 'name'))
    })
  })
})
