import type { Command } from 'commander'
import { RenewAccessTokenRequest, type RenewAccessTokenResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { wrongUsage } from './failure.js'
import { replacePrivateFile } from './private-file.js'
import { holderText } from './proof.js'
import { readSecret } from './read-text.js'
import { record } from './table.js'

type Options = { readonly tokenFile?: string; readonly printToken?: boolean }

export function addTokenRenew(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'renew',
    description: 'Has the kept token of the acting credentials live longer, or the one in a file, without another login.',
    example: 'token renew --token-file token.txt',
  })
  command
    .option('--token-file <file>', 'renew the token in this file and replace it there; - for standard input')
    .option('--print-token', 'print the access token and nothing else')
    .action((options: Options) => run(command, (shell) => renew(shell, options)))
}

async function renew(shell: Shell, { tokenFile, printToken = false }: Options): Promise<Answer> {
  if (tokenFile === '-' && !printToken) throw wrongUsage('A token from standard input has nowhere to go: give --print-token.')
  const { accessToken, ...renewed } = await (tokenFile === undefined ? renewKept(shell) : renewInFile(shell, tokenFile))
  if (printToken) return { document: { accessToken, ...renewed }, ids: [accessToken], lines: [accessToken] }
  return {
    document: renewed,
    ids: [renewed.tokenId],
    lines: record([['token id', renewed.tokenId], ['expires', renewed.expireTime], ['at the latest', renewed.maxExpireTime]]),
  }
}

async function renewKept(shell: Shell): Promise<RenewAccessTokenResponse> {
  const session = shell.session()
  const held = session.cachedToken()
  if (held === undefined) throw wrongUsage(`No token is kept for ${holderText(session.credentials.holder)}: log in.`)
  const renewed = await renewText(shell, held.accessToken)
  session.keepToken(renewed)
  return renewed
}

async function renewInFile(shell: Shell, file: string): Promise<RenewAccessTokenResponse> {
  const renewed = await renewText(shell, await readSecret(file, shell.tell))
  if (file !== '-') replacePrivateFile(file, `${renewed.accessToken}\n`)
  return renewed
}

const renewText = ({ connections }: Shell, accessToken: string): Promise<RenewAccessTokenResponse> =>
  connections.call('exchange', exchange.renewAccessToken, RenewAccessTokenRequest.fromPartial({ accessToken }))
