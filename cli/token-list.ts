import type { Command } from 'commander'
import { type AccessToken, ListAccessTokensRequest } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { identityIdOf } from './find.js'
import { identityNamesOf } from './names-of.js'
import { allPages, LIMIT, parseLimit } from './pages.js'
import type { Session } from './session.js'
import { table } from './table.js'
import { usesText } from './uses-text.js'

type Options = { readonly identity?: string; readonly limit?: number }

export function addTokenList(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'list',
    description: 'Lists the access tokens that are good, newest first; a renewed one is listed once.',
    example: 'token list --identity web',
  })
  command
    .option('--identity <identity>', 'only those of this identity')
    .option(...LIMIT, parseLimit)
    .action((options: Options) => run(command, (shell) => listTokens(shell, options)))
}

async function listTokens(shell: Shell, options: Options): Promise<Answer> {
  const session = shell.session()
  const identityId = options.identity === undefined ? '' : await identityIdOf(session, options.identity)
  const tokens = await allPages(options.limit, async (page) => {
    const { accessTokens: items, nextPageToken } = await session.call('exchange', exchange.listAccessTokens, ListAccessTokensRequest.fromPartial({ ...page, identityId }))
    return { items, nextPageToken }
  })
  return { document: tokens, ids: tokens.map(({ id }) => id), lines: () => tokenTable(session, tokens) }
}

async function tokenTable(session: Session, tokens: readonly AccessToken[]): Promise<string[]> {
  if (tokens.length === 0) return ['No live access tokens.']
  const nameOf = await identityNamesOf(session, tokens.map(({ identityId }) => identityId))
  const rows = tokens.map((token) => [token.id, nameOf(token.identityId), token.name, token.credentialId, token.createTime, token.renewTime, token.expireTime, usesText(token), token.lastUsedTime, token.periodSeconds || undefined])
  return table(['ID', 'IDENTITY', 'NAME', 'CREDENTIAL', 'CREATED', 'RENEWED', 'EXPIRES', 'USES', 'LAST USED', 'PERIOD'], rows)
}
