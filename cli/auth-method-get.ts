import type { Command } from 'commander'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { GetAuthMethodRequest } from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import { authMethodFields } from './auth-method-message.js'
import { addCommand, type Run } from './command.js'
import { findIdentity } from './find.js'
import { record } from './table.js'

export function addAuthMethodGet(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'get <method> <identity>',
    description: 'Shows an auth method of an identity.',
    example: 'auth-method get token-auth web',
  })
  command.action((method: string, nameOrId: string) =>
    run(command, async (shell) => {
      const session = shell.session()
      const identity = await findIdentity(session, nameOrId)
      const found = await session.call('exchange', exchange.getAuthMethod, GetAuthMethodRequest.fromPartial({ identityId: identity.id, method }))
      return { document: found, ids: [found.id], lines: record(authMethodFields(identity.name, found)) }
    }),
  )
}
