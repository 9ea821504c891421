import { systemClock } from '#libs/clock.js'
import { DomainError } from '#libs/domain-error.js'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { type ClientSecret, ListClientSecretsRequest } from '#libs/wire/gen/countersign/exchange/v1/client_secret.js'
import { AttachUniversalAuthRequest, GetUniversalAuthRequest, type UniversalAuth } from '#libs/wire/gen/countersign/exchange/v1/universal_auth.js'
import type { Identity } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import type { Shell } from './command.js'
import { Failure } from './failure.js'
import { nextCommand } from './next-command.js'
import { allPages } from './pages.js'
import type { Session } from './session.js'

export type Lifetimes = { readonly accessTokenTtlSeconds?: number | undefined; readonly accessTokenMaxTtlSeconds?: number | undefined }

/** Gives the identity Universal Auth, or goes on with what an earlier attempt gave it, as long as no secret came of it. */
export async function attachOrGoOn(shell: Shell, identity: Identity, lifetimes: Lifetimes): Promise<UniversalAuth> {
  const session = shell.session()
  const identityId = identity.id
  try {
    return await session.call('exchange', exchange.attachUniversalAuth, AttachUniversalAuthRequest.fromPartial({ ...lifetimes, identityId }))
  } catch (error) {
    if (!(error instanceof DomainError) || error.reason !== 'AUTH_METHOD_EXISTS') throw error
  }
  const live = (await allSecrets(session, identityId)).find(isLive)
  if (live) throw secretExists(identity, live)
  shell.tell(`Identity ${identity.name} has Universal Auth already, with no live client secret: going on with it; token lifetimes stay as they are.`)
  return session.call('exchange', exchange.getUniversalAuth, GetUniversalAuthRequest.fromPartial({ identityId }))
}

export const allSecrets = (session: Session, identityId: string, limit?: number): Promise<ClientSecret[]> =>
  allPages(limit, async (page) => {
    const request = ListClientSecretsRequest.fromPartial({ ...page, identityId })
    const { clientSecrets, nextPageToken } = await session.call('exchange', exchange.listClientSecrets, request)
    return { items: clientSecrets, nextPageToken }
  })

export type SecretState = 'live' | 'revoked' | 'expired' | 'spent'

export function stateOf({ revokeTime, expireTime, useLimit, uses }: ClientSecret): SecretState {
  if (revokeTime) return 'revoked'
  if (expireTime && expireTime <= systemClock.now()) return 'expired'
  return useLimit > 0 && uses >= useLimit ? 'spent' : 'live'
}

const isLive = (secret: ClientSecret): boolean => stateOf(secret) === 'live'

const secretExists = ({ name }: Identity, { id }: ClientSecret): Failure =>
  new Failure({
    exitCode: 1,
    reason: 'CLIENT_SECRET_EXISTS',
    message: `Identity ${name} has a live client secret already, ${id}. To make another: ${nextCommand('secret', 'create', name)}`,
    metadata: { name, clientSecretId: id },
  })
