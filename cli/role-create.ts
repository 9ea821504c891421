import { type Command, Option } from 'commander'
import { toRuleMessage } from '#libs/rpc/rule-message.js'
import type { Rule } from '#libs/rules/rule.js'
import { IdentityRegistryServiceService as registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { CreateRoleRequest } from '#libs/wire/gen/countersign/registry/v1/role.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { wrongUsage } from './failure.js'
import { projectIdOf } from './find.js'
import { nextCommand } from './next-command.js'
import { readText } from './read-text.js'
import { roleDocument, roleLines } from './role-message.js'
import { type Form, FORMS, parseRules, parseShortRule } from './rules.js'

type Options = { readonly project?: string; readonly description?: string; readonly rules?: string; readonly form?: Form }
type Wanted = Options & { readonly name: string; readonly shortRules: readonly Rule[] }

const RULE_FILE = `
A rule file is a JSON list; effect is allow where it is left out, and conditions may be left out. Operators are eq, ne, in,
not_in, glob, not_glob, cidr and exists; docs/permissions.md says what each does:
  [{"effect":"deny","resources":["orders"],"actions":["delete"],"conditions":[{"attribute":"path","operator":"glob","values":["/a/**"]}]}]
With --form infisical it is as Infisical writes rules; docs/permissions.md says what is not the same:
  [{"inverted":true,"subject":"orders","action":"delete","conditions":{"path":{"$glob":"/a/**"}}}]`

export function addRoleCreate(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'create <name>',
    description: 'Makes a custom role of the organization or of a project.',
    example: 'role create clerk --project shop --allow "read,write on orders,invoices" --deny "delete on *"',
  })
  // One list for both, so that the index of a rule is its place on the command line.
  const shortRules: Rule[] = []
  const add = (effect: 'allow' | 'deny') => (text: string) => void shortRules.push(parseShortRule(effect, text))
  command
    .option('--project <project>', 'a role of this project; without it, of the organization')
    .option('--description <text>', 'what the role is for')
    .option('--rules <file>', 'a JSON file of rules, - for standard input')
    .addOption(new Option('--form <form>', 'how the file is written').choices(FORMS).default('countersign'))
    .option('--allow <rule>', 'for example "read,write on orders,invoices"; repeatable', add('allow'))
    .option('--deny <rule>', 'for example "delete on *"; repeatable', add('deny'))
    .addHelpText('after', RULE_FILE)
    .action((name: string, options: Options) => run(command, (shell) => createRole(shell, { ...options, name, shortRules })))
}

async function createRole(shell: Shell, { name, shortRules, project, description = '', rules: file, form }: Wanted): Promise<Answer> {
  const fileRules = file === undefined ? [] : parseRules(await readText(file), file === '-' ? 'standard input' : file, form)
  const rules = [...fileRules, ...shortRules]
  if (file === undefined && rules.length === 0) throw wrongUsage('A role needs rules: give --rules FILE, --allow or --deny.')
  const session = shell.session()
  const projectId = await projectIdOf(session, project)
  const role = await session.call('registry', registry.createRole, CreateRoleRequest.fromPartial({ projectId, name, description, rules: rules.map(toRuleMessage) }))
  return {
    document: roleDocument(role),
    ids: [role.id],
    lines: roleLines(role),
    next: nextCommand('binding', 'create', 'IDENTITY', ...(project === undefined ? [] : ['--project', project]), '--role', role.name),
  }
}
