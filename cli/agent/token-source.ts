import { z } from 'zod'
import { DomainError } from '#libs/domain-error.js'
import type { LoginResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import type { Shell } from '../command.js'
import { openConnections } from '../connections.js'
import type { CredentialOptions } from '../credentials.js'
import { Failure } from '../failure.js'
import { readSecret } from '../read-text.js'
import { prove } from '../session.js'
import { MIN_LIFE_MILLIS, type Setback, type Token } from './fresh-token.js'

/** Where tokens come from. */
export type TokenSource = { obtain(): Promise<Token> }

/** Logs in by Universal Auth, with what files and variables hold at that moment. */
export function universalAuthSource(shell: Shell, options: CredentialOptions): TokenSource {
  const fromInput = options.clientSecretFile === '-' ? readOnce(() => readSecret('-', shell.tell)) : undefined
  return {
    obtain: async () => {
      const found = shell.credentials(options)
      // Once an hour or so: a connection of its own costs nothing, and knows the addresses and the CA of now.
      const connections = openConnections(shell.context, shell.environment)
      try {
        return tokenFrom(await prove(connections, fromInput === undefined ? found : { ...found, clientSecret: fromInput }))
      } finally {
        connections.close()
      }
    },
  }
}

/** Standard input can be read once, and every login needs the secret. */
function readOnce(read: () => Promise<string>): () => Promise<string> {
  let text: Promise<string> | undefined
  return () => (text ??= read())
}

const claims = z.object({ jti: z.string(), sub: z.string(), org: z.string(), iat: z.number(), exp: z.number() })

// Tokens count in whole seconds, rounded down: one may end this much earlier than its own times say.
const ROUNDING_MILLIS = 1_000

export function tokenFrom({ accessToken }: Pick<LoginResponse, 'accessToken'>): Token {
  const parsed = claims.safeParse(payloadOf(accessToken))
  if (!parsed.success) throw new Failure({ exitCode: 1, reason: 'TOKEN_NOT_UNDERSTOOD', message: 'auth-exchange gave a token that says nothing of its times: is it another version?' })
  const { jti, sub, org, iat, exp } = parsed.data
  const lifeMillis = (exp - iat) * 1000 - ROUNDING_MILLIS
  if (lifeMillis < MIN_LIFE_MILLIS) throw tooShort(exp - iat)
  return { accessToken, tokenId: jti, identityId: sub, organizationId: org, lifeMillis }
}

/** When a token ends by its own word, in milliseconds since 1970; undefined where it has none. */
export function endMillisOf(accessToken: string): number | undefined {
  const { data } = claims.safeParse(payloadOf(accessToken))
  return data && data.exp * 1000
}

function payloadOf(accessToken: string): unknown {
  try {
    return JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString())
  } catch {
    return undefined
  }
}

function tooShort(seconds: number): Failure {
  const message = `The tokens of this identity live for ${seconds} s: what lives for less than ${MIN_LIFE_MILLIS / 1000 + 1} s can't be kept fresh.`
  return new Failure({ exitCode: 1, reason: 'TOKEN_LIFE_TOO_SHORT', message, metadata: { seconds: String(seconds) } })
}

// Nothing that passes by itself: the secret is wrong, revoked or spent, or it may not be used from here.
const REFUSALS: readonly string[] = ['UNAUTHENTICATED', 'PERMISSION_DENIED', 'INVALID_ARGUMENT']

/** It is said of credentials that are not good, and of no others: those that are good are accepted at once, so its time to wait means nothing here. */
const isThrottled = ({ reason }: DomainError): boolean => reason === 'LOGIN_THROTTLED'

export function setbackOf(error: unknown): Setback {
  const told = error instanceof Failure ? error.cause : error
  if (!(told instanceof DomainError)) return { isRefusal: false, retryAfterMillis: undefined }
  return { isRefusal: REFUSALS.includes(told.kind) || isThrottled(told), retryAfterMillis: isThrottled(told) ? undefined : told.retryAfterMillis }
}
