import type { Command } from 'commander'
import { DeleteBindingRequest } from '#libs/wire/gen/countersign/registry/v1/binding.js'
import { IdentityRegistryServiceService as registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { addCommand, type Run } from './command.js'

export function addBindingDelete(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'delete <id>',
    description: 'Takes the roles of a binding away, from the very next check on.',
    example: 'binding delete 0198c0de-0000-7000-8000-000000000001',
  })
  command.action((id: string) =>
    run(command, async (shell) => {
      await shell.session().call('registry', registry.deleteBinding, DeleteBindingRequest.fromPartial({ id }))
      return { document: { id, deleted: true }, ids: [id], lines: [`deleted binding ${id}`] }
    }),
  )
}
