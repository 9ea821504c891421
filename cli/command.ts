import { type Command, Option } from 'commander'
import type { Answer } from './answer.js'
import type { Connections } from './connections.js'
import type { Context } from './context.js'
import type { CredentialOptions } from './credentials.js'
import type { Method, MethodOptions } from './login-method.js'
import type { Credentials } from './proof.js'
import type { Tell } from './read-text.js'
import type { Session } from './session.js'
import type { Environment } from './variables.js'

/** What a command works with. */
export type Shell = {
  readonly context: Context
  readonly connections: Connections
  readonly environment: Environment
  /** Whether --quiet was given: then a secret can't be printed. */
  readonly quiet: boolean
  readonly colours: boolean
  /** A line for people beside the answer, on standard error. */
  readonly tell: Tell
  /** By which auth method that is; the options are those of `login` and `agent`. */
  method(options?: MethodOptions): Method
  /** What the acting identity proves itself with, as files and variables have it now. */
  credentials(options?: CredentialOptions): Credentials
  /** The acting identity; the options are those of `login`. */
  session(options?: CredentialOptions): Session
  /** Whose credentials file is the installation's own, where there is one: an operator may act as somebody else. */
  operator(): Session | undefined
}

export type Work = (shell: Shell) => Promise<Answer>

/** Does the work of a command that was typed, and prints its answer. */
export type Run = (command: Command, work: Work) => Promise<void>

/** What may be given before the command as well as behind it. */
export type SharedOptions = { readonly actingFile?: string; readonly json?: boolean; readonly quiet?: boolean }

type Words = {
  /** Name and arguments: `get <identity>`. */
  readonly usage: string
  readonly description: string
  readonly example: string
}

export const addCommand = (parent: Command, { usage, description, example }: Words): Command =>
  parent.command(usage).description(description).addHelpText('after', `\nExample:\n  npx countersign ${example}`)

const ACTING_FILE = '--credentials-file'

/** What every command takes, behind its name or ahead of all. Called last, so that help shows it last. */
export function shareOptions(program: Command): void {
  const leaves = program.commands.flatMap((command) => (command.commands.length > 0 ? command.commands : [command]))
  for (const command of [program, ...leaves]) addSharedOptions(command)
}

function addSharedOptions(command: Command): void {
  for (const option of sharedOptions()) {
    // Where it names the file to write, the file to act with can be given before the command only.
    const isTaken = command.options.some(({ long }) => long === ACTING_FILE && long === option.long)
    if (!isTaken) command.addOption(option.helpGroup('Options of every command:'))
  }
}

function sharedOptions(): Option[] {
  const actingFile = new Option(`${ACTING_FILE} <file>`, 'act with the client id and client secret in this file')
  actingFile.attributeName = () => 'actingFile'
  return [actingFile, new Option('--json', 'print one JSON document'), new Option('-q, --quiet', 'print ids alone, one a line')]
}

/** For an option that may be given several times. */
export const several = (text: string, earlier: readonly string[] = []): string[] => [...earlier, text]
