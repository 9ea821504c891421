import { describe, expect, it } from 'vitest'
import { activeTokenFrom, activeTokenText, claimedIn, tokenDigest } from './active-token.js'

const ID = { token: '01900000-0000-7000-8000-000000000001', organization: '01900000-0000-7000-8000-000000000002', identity: '01900000-0000-7000-8000-000000000003' }
const token = { tokenId: ID.token, organizationId: ID.organization, identityId: ID.identity, credentialId: ID.token, method: 'universal-auth', expireMillis: 1_795_000_000_000, useLimited: true, trustedIps: ['10.0.0.0/8', '::/0'], digest: tokenDigest('x') }

describe('what is kept of a token', () => {
  it('comes back as it was', () => expect(activeTokenFrom(activeTokenText(token))).toEqual(token))

  it('comes back with what its login proved', () => {
    const authClaims = new Map([['kubernetes.namespace', 'billing'], ['__proto__', 'x'], ['note', 'two\nlines\u2028"']])
    expect(activeTokenFrom(activeTokenText({ ...token, authClaims }))).toEqual({ ...token, authClaims })
  })

  it('is never its text', () => expect(activeTokenText({ ...token, digest: tokenDigest('eyJ.secret.text') })).not.toContain('secret'))

  it.each(['', 'a\nb', `${activeTokenText(token)}\nmore`])('is nothing where it is something else: %j', (text) => expect(activeTokenFrom(text)).toBeUndefined())
})

describe('what a token says of itself', () => {
  const tokenOf = (claims: unknown) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`

  it('tells where to look', () => {
    const claims = { iss: 'countersign', jti: ID.token, sub: ID.identity, org: ID.organization, exp: 1 }
    expect(claimedIn(tokenOf(claims))).toEqual({ tokenId: ID.token, identityId: ID.identity, organizationId: ID.organization })
  })

  it.each(['', 'x', 'a.b.c.d', '..', tokenOf({}), tokenOf({ jti: ID.token, sub: ID.identity }), tokenOf({ jti: '../../x', sub: ID.identity, org: ID.organization })])(
    'is nothing where it is no token of ours: %j',
    (text) => expect(claimedIn(text)).toBeUndefined(),
  )
})
