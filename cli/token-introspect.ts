import type { Command } from 'commander'
import { IntrospectAccessTokenRequest, type IntrospectAccessTokenResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { identityNamesOf } from './names-of.js'
import { presentedText } from './presented-token.js'
import { record } from './table.js'
import { usesText } from './uses-text.js'

export function addTokenIntrospect(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'introspect',
    description: 'Shows whether a token is good, and of whom: the own one, or that in --token-file or COUNTERSIGN_TOKEN. Exits 0: good, 1: not.',
    example: 'token introspect --token-file token.txt',
  })
  command
    .option('--token-file <file>', 'the token in this file, - for standard input')
    .action(({ tokenFile }: { tokenFile?: string }) => run(command, (shell) => introspect(shell, tokenFile)))
}

async function introspect(shell: Shell, tokenFile: string | undefined): Promise<Answer> {
  const session = shell.session()
  const presented = await presentedText(shell, tokenFile)
  const ask = (accessToken: string) => session.call('exchange', exchange.introspectAccessToken, IntrospectAccessTokenRequest.fromPartial({ accessToken }))
  const token = await (presented === undefined ? session.withToken(ask) : ask(presented))
  if (!token.active) return { document: { active: false }, ids: [], lines: ['not active'], exitCode: 1 }
  return { document: token, ids: [token.tokenId], lines: () => lines(shell, token), exitCode: 0 }
}

async function lines(shell: Shell, token: IntrospectAccessTokenResponse): Promise<string[]> {
  const nameOf = await identityNamesOf(shell.session(), [token.identityId])
  return record([
    ['token id', token.tokenId],
    ['identity', nameOf(token.identityId)],
    ['method', token.method],
    ['credential', token.credentialId],
    ['issued', token.issueTime],
    ['expires', token.expireTime],
    ['at the latest', token.maxExpireTime],
    ['periodic', token.periodSeconds === 0 ? undefined : `each for ${token.periodSeconds} s`],
    ['uses', usesText(token)],
  ])
}
