import type { Command } from 'commander'
import { DeleteBindingRequest } from '#libs/wire/gen/countersign/registry/v1/binding.js'
import { IdentityRegistryServiceService as registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { addCommand, type Run } from './command.js'
import { projectIdOf } from './find.js'

export function addBindingDelete(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'delete <id>',
    description: 'Takes the roles of a binding away, from the very next check on.',
    example: 'binding delete 0198c0de-0000-7000-8000-000000000001 --project shop',
  })
  command.option('--project <project>', 'the project that it binds to; without it, the organization itself')
  command.action((id: string, { project }: { project?: string }) =>
    run(command, async (shell) => {
      const session = shell.session()
      const projectId = await projectIdOf(session, project)
      await session.call('registry', registry.deleteBinding, DeleteBindingRequest.fromPartial({ id, projectId }))
      return { document: { id, deleted: true }, ids: [id], lines: [`deleted binding ${id}`] }
    }),
  )
}
