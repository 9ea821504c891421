import type { Command } from 'commander'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { RevokeClientSecretRequest } from '#libs/wire/gen/countersign/exchange/v1/client_secret.js'
import { addCommand, type Run } from './command.js'
import { identityIdOf } from './find.js'

export function addSecretRevoke(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'revoke <identity> <id>',
    description: 'Ends a client secret, named by its id, and every token that was obtained with it.',
    example: 'secret revoke web 0198c0de-0000-7000-8000-000000000001',
  })
  command.action((nameOrId: string, id: string) =>
    run(command, async (shell) => {
      const session = shell.session()
      const identityId = await identityIdOf(session, nameOrId)
      const secret = await session.call('exchange', exchange.revokeClientSecret, RevokeClientSecretRequest.fromPartial({ identityId, id }))
      return { document: secret, ids: [secret.id], lines: [`revoked client secret ${secret.id}`] }
    }),
  )
}
