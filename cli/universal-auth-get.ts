import type { Command } from 'commander'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { GetUniversalAuthRequest } from '#libs/wire/gen/countersign/exchange/v1/universal_auth.js'
import { addCommand, type Run } from './command.js'
import { identityIdOf } from './find.js'
import { universalAuthAnswer } from './universal-auth-message.js'

export function addUniversalAuthGet(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'get <identity>',
    description: 'Shows how an identity logs in with client id and client secret, and how its tokens live.',
    example: 'universal-auth get web',
  })
  command.action((identity: string) =>
    run(command, async (shell) => {
      const session = shell.session()
      const request = GetUniversalAuthRequest.fromPartial({ identityId: await identityIdOf(session, identity) })
      return universalAuthAnswer(identity, await session.call('exchange', exchange.getUniversalAuth, request))
    }),
  )
}
