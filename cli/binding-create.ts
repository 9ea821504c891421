import type { Command } from 'commander'
import { isId } from '#libs/ids.js'
import { CreateBindingRequest } from '#libs/wire/gen/countersign/registry/v1/binding.js'
import { IdentityRegistryServiceService as registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import type { Answer } from './answer.js'
import { bindingLines } from './binding-message.js'
import { addRoleOptions, type RoleOptions, rolesToBind } from './binding-roles.js'
import { addCommand, type Run, type Shell } from './command.js'
import { identityIdOf, projectIdOf } from './find.js'
import { nextCommand, suggestedFile } from './next-command.js'

type Options = RoleOptions & { readonly project?: string }

export function addBindingCreate(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'create <identity>',
    description: 'Binds an identity to a project, or to the organization, with roles there.',
    example: 'binding create web --project shop --role viewer --until 8h',
  })
  command.option('--project <project>', 'bind to this project; without it, to the organization itself')
  addRoleOptions(command).action((identity: string, options: Options) => run(command, (shell) => createBinding(shell, identity, options)))
}

async function createBinding(shell: Shell, identity: string, options: Options): Promise<Answer> {
  const session = shell.session()
  const [identityId, projectId] = await Promise.all([identityIdOf(session, identity), projectIdOf(session, options.project)])
  const roles = await rolesToBind(session, options, projectId)
  const request = CreateBindingRequest.fromPartial({ identityId, projectId, roles })
  const binding = await session.call('registry', registry.createBinding, request)
  return {
    document: binding,
    ids: [binding.id],
    lines: bindingLines(binding, { identity, project: options.project }),
    next: nextCommand('login', '--credentials-file', isId(identity) ? 'FILE' : suggestedFile(identity)),
  }
}
