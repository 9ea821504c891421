import type { Command } from 'commander'
import { IdentityRegistryServiceService as registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { CreateProjectRequest } from '#libs/wire/gen/countersign/registry/v1/project.js'
import { addCommand, type Run } from './command.js'
import { nextCommand } from './next-command.js'
import { record } from './table.js'

export function addProjectCreate(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'create <name>',
    description: 'Makes a project; the acting identity becomes its admin.',
    example: 'project create shop',
  })
  command.action((name: string) =>
    run(command, async (shell) => {
      const project = await shell.session().call('registry', registry.createProject, CreateProjectRequest.fromPartial({ name }))
      return {
        document: project,
        ids: [project.id],
        lines: record([['id', project.id], ['name', project.name], ['created', project.createTime]]),
        next: nextCommand('binding', 'create', 'IDENTITY', '--project', project.name, '--role', 'viewer'),
      }
    }),
  )
}
