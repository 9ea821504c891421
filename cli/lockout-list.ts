import type { Command } from 'commander'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { ListLockoutsRequest } from '#libs/wire/gen/countersign/exchange/v1/lockout.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { identityIdOf } from './find.js'
import { nextCommand } from './next-command.js'
import { table } from './table.js'

export function addLockoutList(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'list <identity>',
    description: 'Lists from where failed logins of an identity are throttled, as the replica that answers has it in memory; a good secret is accepted from there all the same.',
    example: 'lockout list web',
  })
  command.action((identity: string) => run(command, (shell) => listLockouts(shell, identity)))
}

async function listLockouts(shell: Shell, nameOrId: string): Promise<Answer> {
  const session = shell.session()
  const identityId = await identityIdOf(session, nameOrId)
  const { lockouts, totalCount } = await session.call('exchange', exchange.listLockouts, ListLockoutsRequest.fromPartial({ identityId }))
  const more = totalCount - lockouts.length
  const rows = lockouts.map(({ source, clientId, endTime }) => [source, clientId, endTime])
  return {
    document: lockouts,
    ids: lockouts.map(({ source }) => source),
    lines: rows.length > 0 ? [...table(['SOURCE', 'CLIENT ID', 'UNTIL'], rows), ...(more > 0 ? [`and ${more} more`] : [])] : ['No lockouts.'],
    ...(rows.length > 0 && { next: nextCommand('lockout', 'clear', nameOrId) }),
  }
}
