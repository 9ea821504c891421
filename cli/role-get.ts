import { type Command, Option } from 'commander'
import { addCommand, type Run } from './command.js'
import { findRole, projectIdOf } from './find.js'
import { roleDocument, roleLines } from './role-message.js'
import { type Form, FORMS, infisicalRules } from './rules.js'

export function addRoleGet(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'get <role>',
    description: 'Shows a role, named by name or id, with its rules.',
    example: 'role get clerk --project shop',
  })
  command
    .option('--project <project>', 'a role of this project; without it, of the organization')
    .addOption(new Option('--form <form>', 'infisical prints its rules alone, as Infisical writes them').choices(FORMS).default('countersign'))
    .action((nameOrId: string, options: { project?: string; form: Form }) =>
      run(command, async (shell) => {
        const session = shell.session()
        const role = await findRole(session, nameOrId, await projectIdOf(session, options.project))
        if (options.form === 'countersign') return { document: roleDocument(role), ids: [role.id], lines: roleLines(role) }
        const document = infisicalRules(role.rules)
        return { document, ids: [role.id], lines: [JSON.stringify(document, undefined, 2)] }
      }),
    )
}
