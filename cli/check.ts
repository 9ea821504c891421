import { styleText } from 'node:util'
import type { Command } from 'commander'
import { DomainError } from '#libs/domain-error.js'
import { isId } from '#libs/ids.js'
import { CheckRequest } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import type { Answer } from './answer.js'
import { parseAttributes } from './attributes.js'
import { addCommand, type Run, several, type Shell } from './command.js'
import { becauseOf, decisionDocument } from './decision-message.js'
import { Failure } from './failure.js'
import { projectIdOf } from './find.js'
import { holderKey } from './proof.js'
import { checkOwn, checkPresented, presentedText } from './presented-token.js'
import { printable, record } from './table.js'

type Asked = { readonly action: string; readonly resource: string }
type Options = { readonly project?: string; readonly attribute?: readonly string[]; readonly context?: readonly string[]; readonly from?: string; readonly tokenFile?: string }

export function addCheck(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'check <action> <resource>',
    description: 'Asks whether a token may do something: the own one, or that in --token-file or COUNTERSIGN_TOKEN. Exits 0: allowed, 1: denied.',
    example: 'check read secrets --project shop --attribute path=/a/b --credentials-file web.json',
  })
  command
    .option('--project <project>', 'the project that the resource belongs to; without it, the organization')
    .option('--attribute <key=value>', 'an attribute of the resource; repeatable. KEY:=JSON for one that is no text: 5, true, ["a"], {"ip": "10.0.0.1"}, {"time": "2026-01-31T00:00:00Z"}', several)
    .option('--context <key=value>', 'an attribute of the request, which rules name context.KEY; written and repeatable as --attribute is', several)
    .option('--from <address>', 'from where the token is used, for tokens that may not be used from everywhere')
    .option('--token-file <file>', 'check the token in this file, - for standard input')
    .action((action: string, resource: string, options: Options) => run(command, (shell) => check(shell, { action, resource }, options)))
}

async function check(shell: Shell, { action, resource }: Asked, { project, attribute = [], context: given = [], from = '', tokenFile }: Options): Promise<Answer> {
  const attributes = parseAttributes('--attribute', attribute)
  const context = parseAttributes('--context', given)
  const presented = await presentedText(shell, tokenFile)
  const projectId = await projectOf(shell, project)
  // Whoever asks here has just changed something, and wants to know whether it holds.
  const consistency = { level: { $case: 'full' as const, value: {} } }
  const question = CheckRequest.fromPartial({ projectId, action, resource: { type: resource, attributes }, context, consistency, sourceAddress: from })
  const decision = await (presented === undefined ? checkOwn(shell, question) : checkPresented(shell, { ...question, accessToken: presented }))
  const scope = project === undefined ? 'the organization' : `project ${project}`
  const verdict = decision.allowed ? 'allowed' : 'denied'
  const shown = shell.colours ? styleText(decision.allowed ? 'green' : 'red', verdict) : verdict
  return {
    document: decisionDocument(decision),
    ids: [],
    lines: [
      `${shown}: ${printable(becauseOf(decision, action, resource))}`,
      ...record([['identity', decision.identityName], ['in', scope], ['decision', decision.decisionId]]),
    ],
    exitCode: decision.allowed ? 0 : 1,
  }
}

/** A workload may seldom look projects up by name; whoever checks in its place often may. */
async function projectOf(shell: Shell, project: string | undefined): Promise<string> {
  if (project === undefined || isId(project)) return project ?? ''
  try {
    return await projectIdOf(shell.session(), project)
  } catch (error) {
    if (!(error instanceof DomainError) || error.kind !== 'PERMISSION_DENIED') throw error
    const operator = shell.operator()
    if (operator === undefined || holderKey(operator.credentials.holder) === holderKey(shell.session().credentials.holder)) throw needsId(project)
    return projectIdOf(operator, project)
  }
}

function needsId(project: string): Failure {
  const message = `The acting identity may not look up project ${project} by name: give the project's id.`
  return new Failure({ exitCode: 1, reason: 'NOT_ALLOWED', message, metadata: { project } })
}
