import type { Command } from 'commander'
import { UpdateAccessTokenRequest } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { addCommand, type Run } from './command.js'

export function addTokenRename(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'rename <token-id> <name>',
    description: 'Gives a token that `token create` made another name.',
    example: 'token rename 0198c0de-0000-7000-8000-000000000001 "CI of release"',
  })
  command.action((tokenId: string, name: string) =>
    run(command, async (shell) => {
      const token = await shell.session().call('exchange', exchange.updateAccessToken, UpdateAccessTokenRequest.fromPartial({ tokenId, name }))
      return { document: token, ids: [token.id], lines: [`renamed token ${token.id} to ${token.name}`] }
    }),
  )
}
