import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { standardTokenAuth } from '../support/untouched.js'
import type { Group, Identity } from './group.js'
import { CALL_MILLIS, type ExchangeMethod, type Planner, type Step } from './step.js'

// Token Auth, which an identity may have beside Universal Auth. Where nothing was heard of a change of it, it is left alone from
// then on: one that arrives late would undo what came after.

export const authMethodChanges = {
  AttachAuthMethod: { changes: 'nothing', weight: 1, plan: attachAuthMethod },
  UpdateAuthMethod: { changes: 'nothing', weight: 0.5, plan: updateAuthMethod },
  RemoveAuthMethod: { changes: 'takes', weight: 0.7, plan: removeAuthMethod },
} satisfies Partial<Record<ExchangeMethod, Planner>>

function attachAuthMethod(group: Group, about: Identity): Step | undefined {
  if (about.state === 'deleted' || about.tokenAuth) return undefined
  const tokenAuth = { isLive: true, isSure: true }
  const keep = () => void (about.tokenAuth = tokenAuth)
  return {
    what: 'AttachAuthMethod',
    feed: 'exchange',
    about,
    attempt: async () => {
      const { revision } = await group.exchange(Exchange.attachAuthMethod, { identityId: about.id, ...standardTokenAuth }, CALL_MILLIS)
      return { revision, keep }
    },
    again: ({ reason }) => Promise.resolve(reason === 'AUTH_METHOD_EXISTS' ? { keep } : undefined),
    whenUnclear: () => (tokenAuth.isSure = false),
  }
}

const sureTokenAuth = ({ state, tokenAuth }: Identity) => (state !== 'deleted' && tokenAuth?.isSure ? tokenAuth : undefined)

function updateAuthMethod(group: Group, about: Identity): Step | undefined {
  if (!sureTokenAuth(about)) return undefined
  const request = { identityId: about.id, method: 'token-auth', etag: '', ...standardTokenAuth, accessTokenTtlSeconds: group.random.between(3_600, 7_200) }
  return { what: 'UpdateAuthMethod', feed: 'exchange', about, attempt: () => group.exchange(Exchange.updateAuthMethod, request, CALL_MILLIS) }
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
    whenUnclear: () => (about.tokenAuth = { isLive: false, isSure: false }),
  }
}
