import type { Command } from 'commander'
import { UpdateBindingRequest } from '#libs/wire/gen/countersign/registry/v1/binding.js'
import { IdentityRegistryServiceService as registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { bindingLines } from './binding-message.js'
import { addRoleOptions, type RoleOptions, rolesToBind } from './binding-roles.js'
import { addCommand, type Run } from './command.js'
import { projectIdOf } from './find.js'

type Options = RoleOptions & { readonly project?: string }

export function addBindingUpdate(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'update <id>',
    description: 'Replaces the roles of a binding, from the very next check on.',
    example: 'binding update 0198c0de-0000-7000-8000-000000000001 --project shop --role viewer --role writer',
  })
  command.option('--project <project>', 'the project that it binds to; without it, the organization itself')
  addRoleOptions(command).action((id: string, options: Options) =>
    run(command, async (shell) => {
      const session = shell.session()
      const projectId = await projectIdOf(session, options.project)
      const roles = await rolesToBind(session, options, projectId)
      const binding = await session.call('registry', registry.updateBinding, UpdateBindingRequest.fromPartial({ id, projectId, roles }))
      return { document: binding, ids: [binding.id], lines: bindingLines(binding, { identity: binding.identityId, project: options.project }) }
    }),
  )
}
