import type { Command } from 'commander'
import { RevokeAccessTokenRequest } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { wrongUsage } from './failure.js'
import { holderText } from './proof.js'
import { readSecret } from './read-text.js'
import { type AllOf, isOfMany, revokeAllOf } from './tokens-revoke.js'

export function addTokenRevoke(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'revoke [token-id]',
    description: 'Revokes an access token: the acting one, one by its id (jti), or one in a file; or all of an identity or of the organization.',
    example: 'token revoke --token-file token.txt',
  })
  command
    .option('--token-file <file>', 'revoke the token in this file, - for standard input')
    .option('--all-of <identity>', 'revoke all tokens of this identity')
    .option('--method <method>', 'only those that it obtained by this auth method: universal-auth or token-auth')
    .option('--secret-id <id>', 'only those that it obtained with this client secret')
    .option('--all-of-organization', 'revoke all tokens of everybody, your own included')
    .action((tokenId: string | undefined, options: Options) => run(command, (shell) => revoke(shell, tokenId, options)))
}

type Options = AllOf & { readonly tokenFile?: string }

async function revoke(shell: Shell, tokenId: string | undefined, { tokenFile: file, ...many }: Options): Promise<Answer> {
  if (isOfMany(many)) {
    if (tokenId !== undefined || file !== undefined) throw wrongUsage('Give either one token or whose tokens.')
    return revokeAllOf(shell, many)
  }
  if (tokenId !== undefined && file !== undefined) throw wrongUsage('Give either a token id or --token-file.')
  if (file !== undefined) {
    await revokeByText(shell, await readSecret(file, shell.tell))
    return { document: { revoked: true }, ids: [], lines: ['revoked the token'] }
  }
  if (tokenId === undefined) return revokeActing(shell)
  const request = RevokeAccessTokenRequest.fromPartial({ target: { $case: 'tokenId', value: tokenId } })
  await shell.session().call('exchange', exchange.revokeAccessToken, request)
  return revoked(tokenId)
}

/** The token that the cache holds for the acting credentials. */
async function revokeActing(shell: Shell): Promise<Answer> {
  const session = shell.session()
  const held = session.cachedToken()
  if (held === undefined) {
    return { document: { revoked: false }, ids: [], lines: [`No token is cached for ${holderText(session.credentials.holder)}: nothing to revoke.`] }
  }
  await revokeByText(shell, held.accessToken)
  // Only now: while a revocation may have failed, the token must stay at hand for another attempt.
  session.dropCachedToken()
  return revoked(held.tokenId)
}

async function revokeByText({ connections }: Shell, accessToken: string): Promise<void> {
  const request = RevokeAccessTokenRequest.fromPartial({ target: { $case: 'accessToken', value: accessToken } })
  await connections.call('exchange', exchange.revokeAccessToken, request)
}

const revoked = (tokenId: string): Answer => ({ document: { tokenId, revoked: true }, ids: [tokenId], lines: [`revoked token ${tokenId}`] })
