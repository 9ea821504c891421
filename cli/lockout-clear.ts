import type { Command } from 'commander'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { ClearLockoutsRequest } from '#libs/wire/gen/countersign/exchange/v1/lockout.js'
import { addCommand, type Run } from './command.js'
import { identityIdOf } from './find.js'

export function addLockoutClear(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'clear <identity>',
    description: 'Has failed logins of an identity be counted anew, from everywhere.',
    example: 'lockout clear web',
  })
  command.action((nameOrId: string) =>
    run(command, async (shell) => {
      const session = shell.session()
      const identityId = await identityIdOf(session, nameOrId)
      const cleared = await session.call('exchange', exchange.clearLockouts, ClearLockoutsRequest.fromPartial({ identityId }))
      return { document: cleared, ids: [identityId], lines: [`failed logins of ${nameOrId} are counted anew; ${cleared.clearedCount} lockouts ended at the replica that answered`] }
    }),
  )
}
