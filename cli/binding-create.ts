import { type Command, Option } from 'commander'
import { systemClock } from '#libs/clock.js'
import { isId } from '#libs/ids.js'
import { type Binding, CreateBindingRequest } from '#libs/wire/gen/countersign/registry/v1/binding.js'
import { IdentityRegistryServiceService as registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import type { Answer } from './answer.js'
import { boundRolesText } from './binding-message.js'
import { addCommand, type Run, several, type Shell } from './command.js'
import { parseMoment } from './duration.js'
import { identityIdOf, projectIdOf, roleNameOf } from './find.js'
import { nextCommand, suggestedFile } from './next-command.js'
import { record } from './table.js'

type Options = { readonly project?: string; readonly role: readonly string[]; readonly from?: Date; readonly until?: Date }

export function addBindingCreate(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'create <identity>',
    description: 'Binds an identity to a project, or to the organization, with roles there.',
    example: 'binding create web --project shop --role viewer --until 8h',
  })
  const moment = (text: string) => parseMoment(text, systemClock.now())
  command
    .option('--project <project>', 'bind to this project; without it, to the organization itself')
    .addOption(new Option('--role <role>', 'a role there; repeatable').argParser(several).makeOptionMandatory())
    .option('--from <time>', 'the roles hold from then on: 2030-01-31T09:00:00Z, or 2h from now', moment)
    .option('--until <time>', 'the roles hold until then: 2030-01-31T09:00:00Z, or 2h from now', moment)
    .action((identity: string, options: Options) => run(command, (shell) => createBinding(shell, identity, options)))
}

async function createBinding(shell: Shell, identity: string, options: Options): Promise<Answer> {
  const session = shell.session()
  const [identityId, projectId] = await Promise.all([identityIdOf(session, identity), projectIdOf(session, options.project)])
  const names = await Promise.all(options.role.map((role) => roleNameOf(session, role, projectId)))
  const roles = names.map((role) => ({ role, startTime: options.from, endTime: options.until }))
  const request = CreateBindingRequest.fromPartial({ identityId, projectId, roles })
  const binding = await session.call('registry', registry.createBinding, request)
  return {
    document: binding,
    ids: [binding.id],
    lines: bindingLines(binding, identity, options.project),
    next: nextCommand('login', '--credentials-file', isId(identity) ? 'FILE' : suggestedFile(identity)),
  }
}

function bindingLines(binding: Binding, identity: string, project: string | undefined): string[] {
  const scope = project === undefined ? 'the organization' : `project ${project}`
  return record([['id', binding.id], ['identity', identity], ['in', scope], ['roles', boundRolesText(binding)]])
}
