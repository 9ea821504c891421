import type { Command } from 'commander'
import { addCommand, type Run } from './command.js'
import { findRole, projectIdOf } from './find.js'
import { roleDocument, roleLines } from './role-message.js'

export function addRoleGet(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'get <role>',
    description: 'Shows a role, named by name or id, with its rules.',
    example: 'role get clerk --project shop',
  })
  command
    .option('--project <project>', 'a role of this project; without it, of the organization')
    .action((nameOrId: string, options: { project?: string }) =>
      run(command, async (shell) => {
        const session = shell.session()
        const role = await findRole(session, nameOrId, await projectIdOf(session, options.project))
        return { document: roleDocument(role), ids: [role.id], lines: roleLines(role) }
      }),
    )
}
