import type { Command } from 'commander'
import { type Binding, ListBindingsRequest } from '#libs/wire/gen/countersign/registry/v1/binding.js'
import { IdentityRegistryServiceService as registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import type { Answer } from './answer.js'
import { boundRolesText } from './binding-message.js'
import { addCommand, type Run, type Shell } from './command.js'
import { identityIdOf, projectIdOf } from './find.js'
import { identityNamesOf, projectNamesOf } from './names-of.js'
import { allPages, LIMIT, parseLimit } from './pages.js'
import type { Session } from './session.js'
import { table } from './table.js'

type Options = { readonly identity?: string; readonly project?: string; readonly limit?: number }

export function addBindingList(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'list',
    description: 'Lists bindings to the organization, to a project, or of an identity, oldest first.',
    example: 'binding list --identity web',
  })
  command
    .option('--identity <identity>', 'only those of this identity; without --project, wherever they are')
    .option('--project <project>', 'those to this project')
    .option(...LIMIT, parseLimit)
    .action((options: Options) => run(command, (shell) => listBindings(shell, options)))
}

async function listBindings(shell: Shell, options: Options): Promise<Answer> {
  const session = shell.session()
  const identityId = options.identity === undefined ? '' : await identityIdOf(session, options.identity)
  const projectId = await projectIdOf(session, options.project)
  const bindings = await allPages(options.limit, async (page) => {
    const request = ListBindingsRequest.fromPartial({ ...page, identityId, projectId })
    const { bindings: items, nextPageToken } = await session.call('registry', registry.listBindings, request)
    return { items, nextPageToken }
  })
  return { document: bindings, ids: bindings.map(({ id }) => id), lines: () => bindingTable(session, bindings) }
}

async function bindingTable(session: Session, bindings: readonly Binding[]): Promise<string[]> {
  if (bindings.length === 0) return ['No bindings.']
  const identityName = await identityNamesOf(session, bindings.map(({ identityId }) => identityId))
  const projectName = await projectNamesOf(session, bindings.map(({ projectId }) => projectId))
  const rows = bindings.map((binding) => [
    binding.id,
    identityName(binding.identityId),
    binding.projectId === '' ? 'the organization' : `project ${projectName(binding.projectId)}`,
    boundRolesText(binding),
  ])
  return table(['ID', 'IDENTITY', 'IN', 'ROLES'], rows)
}
