import type { Command } from 'commander'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { DeletePrincipalRequest } from '#libs/wire/gen/countersign/exchange/v1/principal.js'
import { addCommand, type Run } from './command.js'

export function addPrincipalDelete(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'delete <id>',
    description: 'Takes a principal away: a client certificate of its name stands for nobody any more.',
    example: 'principal delete 0198c0de-0000-7000-8000-000000000001',
  })
  command.action((id: string) =>
    run(command, async (shell) => {
      await shell.session().call('exchange', exchange.deletePrincipal, DeletePrincipalRequest.fromPartial({ id }))
      return { document: { id, deleted: true }, ids: [id], lines: [`deleted principal ${id}`] }
    }),
  )
}
