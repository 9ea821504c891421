import { wallMillis } from '#libs/clock.js'
import { DomainError } from '#libs/domain-error.js'
import type { UnaryMethod } from '#libs/rpc/client.js'
import { LoginRequest, type LoginResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { Connections } from './connections.js'
import type { Context, Service } from './context.js'
import { type Credentials, holderKey, holderText } from './proof.js'
import type { Tell } from './read-text.js'
import { type HeldToken, tokenCache } from './token-cache.js'

/** The acting identity: its credentials, and the token that stands for it. */
export type Session = {
  readonly credentials: Credentials
  /** Calls a service as the acting identity, logging in where that is needed. */
  call<Request, Response>(service: Service, method: UnaryMethod<Request, Response>, request: Request): Promise<Response>
  /** Does the work with a token, and once more with a new one where a token of an earlier command is refused. */
  withToken<Result>(work: (accessToken: string) => Promise<Result>): Promise<Result>
  login(): Promise<LoginResponse>
  cachedToken(): HeldToken | undefined
  /** For later commands, in place of the one that is cached. */
  keepToken(token: IssuedToken): void
  dropCachedToken(): void
}

type IssuedToken = { readonly accessToken: string; readonly tokenId: string; readonly expiresInSeconds: number }

const REJECTED: readonly string[] = ['ACCESS_TOKEN_REJECTED', 'CALLER_TOKEN_REJECTED']

type Outside = { readonly context: Context; readonly connections: Connections; readonly tell: Tell }

export function openSession(credentials: Credentials, { context, connections, tell }: Outside): Session {
  const cache = tokenCache(context.tokensFile)
  const key = () => ({ exchange: context.addressOf('exchange'), holder: holderKey(credentials.holder) })
  let obtaining: Promise<string> | undefined

  const keepToken = ({ accessToken, tokenId, expiresInSeconds }: IssuedToken): void =>
    tolerate(tell, () => cache.keep(key(), { accessToken, tokenId, expireMillis: wallMillis() + expiresInSeconds * 1000 }))
  const login = async (): Promise<LoginResponse> => {
    const response = await prove(connections, credentials)
    keepToken(response)
    return response
  }
  // One login for calls that run side by side: a use of the client secret may be counted.
  const obtain = () => (obtaining ??= login().then(({ accessToken }) => accessToken))

  const withToken: Session['withToken'] = async (work) => {
    const cached = obtaining === undefined ? cache.find(key()) : undefined
    if (cached === undefined) return work(await obtain())
    try {
      return await work(cached.accessToken)
    } catch (error) {
      if (!(error instanceof DomainError) || !REJECTED.includes(error.reason)) throw error
      return work(await obtain())
    }
  }
  return {
    credentials,
    withToken,
    login,
    call: (service, method, request) => withToken((accessToken) => connections.as(accessToken).call(service, method, request)),
    cachedToken: () => cache.find(key()),
    keepToken,
    dropCachedToken: () => tolerate(tell, () => cache.drop(key())),
  }
}

/** Logs in; what comes of it is kept nowhere. */
export async function prove(connections: Connections, { holder, source, proof }: Credentials): Promise<LoginResponse> {
  const request = LoginRequest.fromPartial({ proof: await proof() })
  try {
    return await connections.call('exchange', AuthExchangeServiceService.login, request)
  } catch (error) {
    if (!(error instanceof DomainError) || error.kind !== 'UNAUTHENTICATED') throw error
    const message = `${error.message} They are those of ${holderText(holder)}, from ${source}.`
    throw new DomainError(error.kind, error.reason, message, { metadata: { ...error.metadata, ...holder }, cause: error })
  }
}

/** Without its cache the product is slower, and still works. */
function tolerate(tell: Tell, change: () => void): void {
  try {
    change()
  } catch (error) {
    tell(`warning: the token can't be cached: ${error instanceof Error ? error.message : String(error)}`)
  }
}
