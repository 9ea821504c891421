import type { Command } from 'commander'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { RemoveAuthMethodRequest } from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import { addCommand, type Run } from './command.js'
import { findIdentity } from './find.js'

export function addAuthMethodRemove(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'remove <method> <identity>',
    description: 'Takes an auth method from an identity, with its client secrets; all tokens of the method are refused from then on.',
    example: 'auth-method remove universal-auth web',
  })
  command.action((method: string, nameOrId: string) =>
    run(command, async (shell) => {
      const session = shell.session()
      const { id: identityId, name } = await findIdentity(session, nameOrId)
      const { revision } = await session.call('exchange', exchange.removeAuthMethod, RemoveAuthMethodRequest.fromPartial({ identityId, method }))
      return { document: { identityId, method, removed: true, revision }, ids: [identityId], lines: [`removed ${method} from ${name}`] }
    }),
  )
}
