import type { Command } from 'commander'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { allRoles, projectIdOf } from './find.js'
import { LIMIT, parseLimit } from './pages.js'
import { roleDocument } from './role-message.js'
import { table } from './table.js'

type Options = { readonly project?: string; readonly limit?: number }

export function addRoleList(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'list',
    description: 'Lists the roles of the organization or of a project, the built-in ones first.',
    example: 'role list --project shop',
  })
  command
    .option('--project <project>', 'the roles of this project; without it, of the organization')
    .option(...LIMIT, parseLimit)
    .action((options: Options) => run(command, (shell) => listRoles(shell, options)))
}

async function listRoles(shell: Shell, { project, limit }: Options): Promise<Answer> {
  const session = shell.session()
  const roles = await allRoles(session, await projectIdOf(session, project), limit)
  const rows = roles.map(({ id, name, builtIn, rules, description }) => [id, name, builtIn ? 'yes' : 'no', rules.length, description])
  return {
    document: roles.map(roleDocument),
    ids: roles.map(({ id }) => id),
    lines: table(['ID', 'NAME', 'BUILT IN', 'RULES', 'DESCRIPTION'], rows),
  }
}
