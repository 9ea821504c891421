import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { standardTokenAuth } from '../support/untouched.js'
import { changeTrust, type TrustedBy } from './address-changes.js'
import { type Group, type Identity, isGood, isSeenActive, type TokenAuth } from './group.js'
import { CALL_MILLIS, type ExchangeMethod, type Planner, type Step } from './step.js'

// Token Auth, which an identity may have beside Universal Auth. Where nothing was heard of a change of it, it is left alone from
// then on: one that arrives late would undo what came after.

export const authMethodChanges = {
  AttachAuthMethod: { changes: 'nothing', weight: 2, plan: attachAuthMethod },
  UpdateAuthMethod: { changes: 'either', weight: 3, plan: updateAuthMethod },
  UpdateAccessToken: { changes: 'nothing', weight: 0.3, plan: updateAccessToken },
  RemoveAuthMethod: { changes: 'takes', weight: 1, plan: removeAuthMethod },
} satisfies Partial<Record<ExchangeMethod, Planner>>

function attachAuthMethod(group: Group, about: Identity): Step | undefined {
  if (about.state === 'deleted' || about.tokenAuth) return undefined
  const tokenAuth = { isLive: true, isSure: true, trust: group.newTrust('Token Auth') }
  const keep = (etag = '') => () => void (about.tokenAuth = Object.assign(tokenAuth, { trust: Object.assign(tokenAuth.trust, { etag }) }))
  return {
    what: 'AttachAuthMethod',
    feed: 'exchange',
    about,
    attempt: async () => {
      const { revision, etag } = await group.exchange(Exchange.attachAuthMethod, { identityId: about.id, ...standardTokenAuth }, CALL_MILLIS)
      return { revision, keep: keep(etag) }
    },
    again: ({ reason }) => Promise.resolve(reason === 'AUTH_METHOD_EXISTS' ? { keep: keep() } : undefined),
    whenUnclear: () => (tokenAuth.isSure = false),
  }
}

const sureTokenAuth = ({ state, tokenAuth }: Identity) => (state !== 'deleted' && tokenAuth?.isSure ? tokenAuth : undefined)

function updateAuthMethod(group: Group, about: Identity): Step | undefined {
  const tokenAuth = sureTokenAuth(about)
  return tokenAuth && changeTrust(group, about, tokenAuthTrust(group, about, tokenAuth))
}

/** Of tokens that were issued already, too, which otherwise keep what they were issued with. */
export const tokenAuthTrust = (group: Group, { id: identityId }: Identity, { trust }: TokenAuth): TrustedBy => ({
  what: 'UpdateAuthMethod',
  trust,
  update: (given) => group.exchange(Exchange.updateAuthMethod, { identityId, method: 'token-auth', ...standardTokenAuth, accessTokenTtlSeconds: group.random.between(3_600, 7_200), ...given }, CALL_MILLIS),
  read: () => group.exchange(Exchange.getAuthMethod, { identityId, method: 'token-auth' }, CALL_MILLIS),
})

function updateAccessToken(group: Group, about: Identity): Step | undefined {
  const tokenAuth = sureTokenAuth(about)
  const token = tokenAuth && about.tokens.find((one) => one.source === tokenAuth && isGood(one))
  if (!token) return undefined
  const request = { tokenId: token.id, name: group.freshName('token') }
  return { what: 'UpdateAccessToken', feed: 'exchange', about, attempt: () => group.exchange(Exchange.updateAccessToken, request, CALL_MILLIS) }
}

/** What a new token of the identity can be obtained with besides a login. */
export const tokenAuthOf = (group: Group, about: Identity): TokenAuth | undefined => (isSeenActive(group, about) ? sureTokenAuth(about) : undefined)

export async function makeToken(group: Group, about: Identity, source: TokenAuth): Promise<void> {
  const { accessToken: text, tokenId: id } = await group.exchange(Exchange.createAccessToken, { identityId: about.id, name: group.freshName('token') }, CALL_MILLIS)
  group.addToken(about, { id, text, source })
}

/** Ends the tokens that were made by it, too. */
function removeAuthMethod(group: Group, about: Identity): Step | undefined {
  const tokenAuth = sureTokenAuth(about)
  if (!tokenAuth) return undefined
  return {
    what: 'RemoveAuthMethod',
    feed: 'exchange',
    about,
    apply: () => {
      tokenAuth.isLive = false
      for (const token of about.tokens) if (token.source === tokenAuth) token.isLive = false
    },
    attempt: async () => {
      const { revision } = await group.exchange(Exchange.removeAuthMethod, { identityId: about.id, method: 'token-auth' }, CALL_MILLIS)
      return { revision, keep: () => void (about.tokenAuth = undefined) }
    },
    again: ({ reason }) => Promise.resolve(reason === 'AUTH_METHOD_NOT_FOUND' ? {} : undefined),
    whenUnclear: () => (about.tokenAuth = { isLive: false, isSure: false, trust: tokenAuth.trust }),
  }
}
