import type { Command } from 'commander'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { CreatePrincipalRequest } from '#libs/wire/gen/countersign/exchange/v1/principal.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { identityIdOf } from './find.js'
import { nextCommand } from './next-command.js'
import { record } from './table.js'

export function addPrincipalCreate(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'create <identity> <name>',
    description: 'Has a client certificate of this name stand for an identity where a proxy asks: its URI SAN, or else its DNS SAN, or else its subject.',
    example: 'principal create web spiffe://acme.example/ns/shop/sa/web',
  })
  command.action((identity: string, name: string) => run(command, (shell) => createPrincipal(shell, identity, name)))
}

async function createPrincipal(shell: Shell, identity: string, name: string): Promise<Answer> {
  const session = shell.session()
  const identityId = await identityIdOf(session, identity)
  const { principal } = await session.call('exchange', exchange.createPrincipal, CreatePrincipalRequest.fromPartial({ identityId, name }))
  return {
    document: principal,
    ids: [principal?.id ?? ''],
    lines: record([['identity', identity], ['principal', principal?.name], ['id', principal?.id]]),
    next: nextCommand('binding', 'create', identity, '--project', 'PROJECT', '--role', 'viewer'),
  }
}
