import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { changeTrust, type TrustedBy } from './address-changes.js'
import { authMethodChanges, tokenAuthTrust } from './auth-method-changes.js'
import { bootstrapAgain } from './bootstrap-change.js'
import { type Group, type Identity, isGood, isSeenActive, liveSecret, liveToken, type Secret, type Token } from './group.js'
import type { TrackId } from './history.js'
import { principalChanges } from './principal-changes.js'
import { CALL_MILLIS, type Done, type ExchangeMethod, type Planner, type Step } from './step.js'
import { renew } from './renewals.js'
import type { Trust } from './trusted-addresses.js'
import { plainSecret, untouched } from '../support/untouched.js'

// Every method that changes something in auth-exchange, and how it is used here. One that is added to changedInExchange has
// to be added here too: without it this does not compile.

export const exchangeChanges: Record<ExchangeMethod, Planner> = {
  ...principalChanges,
  ...authMethodChanges,
  Bootstrap: { changes: 'nothing', weight: 0.3, plan: (group) => bootstrapAgain(group, 'exchange') },
  AttachUniversalAuth: { changes: 'nothing', weight: 20, plan: attachUniversalAuth },
  UpdateUniversalAuth: { changes: 'either', weight: 1.5, plan: (group, about) => about.trust && changeTrust(group, about, universalAuthTrust(group, about, about.trust)) },
  ClearLockouts: { changes: 'nothing', weight: 0.3, plan: clearLockouts },
  CreateClientSecret: { changes: 'nothing', weight: 0.5, plan: createClientSecret },
  RevokeClientSecret: { changes: 'takes', weight: 1, plan: (group, about) => revokeClientSecret(group, about) },
  RotateClientSecret: { changes: 'nothing', weight: 1.5, plan: rotateClientSecret },
  RevokeAccessTokens: { changes: 'takes', weight: 0.5, plan: revokeAccessTokens },
  RevokeAccessToken: { changes: 'takes', weight: 2.5, plan: (group, about) => revokeAccessToken(group, about) },
}

function attachUniversalAuth(group: Group, about: Identity): Step | undefined {
  if (about.state === 'deleted' || about.clientId !== '') return undefined
  const identityId = about.id
  const keep = ({ clientId, etag }: { clientId: string; etag: string }) => () => void Object.assign(about, { clientId, trust: group.newTrust('Universal Auth', etag) })
  return {
    what: 'AttachUniversalAuth',
    feed: 'exchange',
    about,
    attempt: async () => {
      const made = await group.exchange(Exchange.attachUniversalAuth, { identityId, ...untouched }, CALL_MILLIS)
      return { revision: made.revision, keep: keep(made) }
    },
    again: async ({ reason }): Promise<Done | undefined> => {
      if (reason !== 'AUTH_METHOD_EXISTS') return undefined
      return { keep: keep(await group.exchange(Exchange.getUniversalAuth, { identityId }, CALL_MILLIS)) }
    },
  }
}

const universalAuthTrust = (group: Group, { id: identityId }: Identity, trust: Trust): TrustedBy => ({
  what: 'UpdateUniversalAuth',
  trust,
  update: (given) => group.exchange(Exchange.updateUniversalAuth, { identityId, ...untouched, accessTokenTtlSeconds: group.random.between(3_600, 7_200), ...given }, CALL_MILLIS),
  read: () => group.exchange(Exchange.getUniversalAuth, { identityId }, CALL_MILLIS),
})

/** Lets a token be used from here, or no more. */
export function trustToken(group: Group, about: Identity, { source }: Token, value: 'allow' | 'elsewhere'): Step {
  const by = about.tokenAuth === source ? tokenAuthTrust(group, about, about.tokenAuth) : universalAuthTrust(group, about, source.trust)
  return changeTrust(group, about, by, value)
}

function clearLockouts(group: Group, about: Identity): Step | undefined {
  if (about.clientId === '') return undefined
  return { what: 'ClearLockouts', feed: 'exchange', about, attempt: () => group.exchange(Exchange.clearLockouts, { identityId: about.id }, CALL_MILLIS) }
}

export function createClientSecret(group: Group, about: Identity): Step | undefined {
  if (about.clientId === '' || !isSeenActive(group, about)) return undefined
  return {
    what: 'CreateClientSecret',
    feed: 'exchange',
    about,
    attempt: async () => {
      const made = await group.exchange(Exchange.createClientSecret, { identityId: about.id, ...plainSecret }, CALL_MILLIS)
      const id = made.clientSecret?.id ?? ''
      return { revision: made.clientSecret?.revision ?? '', keep: () => group.addSecret(about, { id, text: made.secret }) }
    },
  }
}

/** A secret is rotated once, whatever was heard of it. */
const rotated = new WeakSet<Secret>()

const LONG_OVERLAP_SECONDS = 2_592_000
const CLOCK_MARGIN_MILLIS = 50

/** Both live on, or the old one ends by itself, and not the tokens that it obtained. Of a successor that is never heard of nothing is known. */
function rotateClientSecret(group: Group, about: Identity): Step | undefined {
  const secret = liveSecret(about)
  if (!secret || rotated.has(secret) || !isSeenActive(group, about)) return undefined
  const overlapSeconds = group.random.chance(0.5) ? 1 : LONG_OVERLAP_SECONDS
  const request = { identityId: about.id, id: secret.id, overlapSeconds, wrapTtlSeconds: 0 }
  const end = overlapSeconds === LONG_OVERLAP_SECONDS ? () => ({}) : endOf(group, secret.track, overlapSeconds)
  return {
    what: 'RotateClientSecret',
    feed: 'exchange',
    about,
    apply: () => {
      rotated.add(secret)
      secret.endsSoon = overlapSeconds < LONG_OVERLAP_SECONDS
    },
    attempt: async () => {
      const made = await group.exchange(Exchange.rotateClientSecret, request, CALL_MILLIS)
      const id = made.clientSecret?.id ?? ''
      return { ...end(), revision: made.clientSecret?.revision ?? '', keep: () => group.addSecret(about, { id, text: made.secret }) }
    },
    again: ({ reason }) => Promise.resolve(reason === 'CLIENT_SECRET_ROTATED' ? end() : undefined),
  }
}

/** Between a second after it was first sent and one after it was acknowledged. */
function endOf({ tools: { recorder } }: Group, track: TrackId, overlapSeconds: number): () => Pick<Done, 'turn'> {
  const from = recorder.now() + overlapSeconds * 1_000 - CLOCK_MARGIN_MILLIS
  return () => ({ turn: { track, value: 'rejected', from, until: recorder.now() + overlapSeconds * 1_000 + CLOCK_MARGIN_MILLIS } })
}

/** Ends the tokens that it obtained, too. */
function revokeClientSecret(group: Group, about: Identity, secret = liveSecret(about)): Step | undefined {
  if (!secret?.isLive) return undefined
  return {
    what: 'RevokeClientSecret',
    feed: 'exchange',
    about,
    apply: () => {
      secret.isLive = false
      for (const token of about.tokens) if (token.source === secret) token.isLive = false
    },
    attempt: () => group.exchange(Exchange.revokeClientSecret, { identityId: about.id, id: secret.id }, CALL_MILLIS),
  }
}

/**
 * Of a secret that is revoked right behind it: one that arrives late would end what was obtained since, and so nothing is
 * revoked here of an identity, a method or an organization.
 */
function revokeAccessTokens(group: Group, about: Identity): Step | undefined {
  const secret = liveSecret(about)
  const tokens = about.tokens.filter((token) => token.source === secret && isGood(token))
  if (!secret || tokens.length === 0) return undefined
  return {
    what: 'RevokeAccessTokens',
    feed: 'exchange',
    about,
    apply: () => tokens.forEach((token) => (token.isLive = false)),
    attempt: () => group.exchange(Exchange.revokeAccessTokens, { of: { $case: 'clientSecret', value: { identityId: about.id, id: secret.id } } }, CALL_MILLIS),
    then: () => revokeClientSecret(group, about, secret),
  }
}

/** By its id as an admin, or by the token itself as whoever holds it, while the key that signed it is not to go. Whatever is renewed of it meanwhile ends too. */
export function revokeAccessToken(group: Group, about: Identity, token: Token | undefined = liveToken(about)): Step | undefined {
  if (!token || !isGood(token)) return undefined
  const [isHolders, isRenewed] = [group.random.chance(0.5), group.random.chance(0.5)]
  const byHolder = () => group.tools.world.exchange(group.random)(Exchange.revokeAccessToken, { target: { $case: 'accessToken', value: token.text } }, CALL_MILLIS)
  const byAdmin = () => group.exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value: token.id } }, CALL_MILLIS)
  return {
    what: 'RevokeAccessToken',
    feed: 'exchange',
    about,
    apply: () => {
      for (const one of [token, ...about.tokens]) if (one.id === token.id) one.isLive = false
    },
    attempt: () => {
      // Before, after or never: nobody waits for it.
      if (isRenewed && token.key.state === 'signs') void renew(group, about, token)
      return isHolders && token.key.state === 'signs' ? byHolder() : byAdmin()
    },
  }
}
