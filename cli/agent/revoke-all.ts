import { DomainError } from '#libs/domain-error.js'
import { RevokeAccessTokenRequest } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { Shell } from '../command.js'
import { type Connections, openConnections } from '../connections.js'
import { Failure } from '../failure.js'
import type { Token } from './fresh-token.js'
import type { Keeper } from './keeper.js'

// Docker gives a container 10 s to end, Kubernetes 30.
const WITHIN_MILLIS = 7_000

/** Revokes everything that was obtained and lives, also what a login that is under way brings. Answers with the ids of tokens. */
export async function revokeAll(shell: Shell, keeper: Keeper): Promise<string[]> {
  const connections = openConnections(shell.context, shell.environment)
  const revoked = new Set<string>()
  const revokeAlive = async () => {
    const tokens = keeper.alive().filter(({ tokenId }) => !revoked.has(tokenId))
    await Promise.all(tokens.map(async (token) => {
      await revoke(connections, token)
      revoked.add(token.tokenId)
    }))
  }
  const work = async () => {
    await revokeAlive()
    await keeper.settled()
    await revokeAlive()
  }
  const timer = newDeadline()
  try {
    await Promise.race([work(), timer.passed])
    return [...revoked]
  } catch (error) {
    const left = keeper.alive().filter(({ tokenId }) => !revoked.has(tokenId)).map(({ tokenId }) => tokenId)
    throw notRevoked(left, error instanceof Error ? error.message : String(error))
  } finally {
    timer.stop()
    connections.close()
  }
}

async function revoke(connections: Connections, { accessToken }: Token): Promise<void> {
  try {
    await connections.call('exchange', exchange.revokeAccessToken, RevokeAccessTokenRequest.fromPartial({ target: { $case: 'accessToken', value: accessToken } }))
  } catch (error) {
    // It is no longer good: that is what was wanted.
    if (!(error instanceof DomainError) || error.kind !== 'UNAUTHENTICATED') throw error
  }
}

function newDeadline(): { readonly passed: Promise<never>; readonly stop: () => void } {
  let timer: NodeJS.Timeout | undefined
  const passed = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('there was no answer in time.')), WITHIN_MILLIS)
  })
  return { passed, stop: () => clearTimeout(timer) }
}

function notRevoked(tokenIds: readonly string[], why: string): Failure {
  const which = tokenIds.length > 0 ? tokenIds.join(', ') : 'of a login that was under way'
  const message = `Stopped, but a token could not be revoked and lives until it expires (${which}): ${why}`
  return new Failure({ exitCode: 3, reason: 'NOT_REVOKED', message, metadata: { tokenIds: tokenIds.join(',') } })
}
