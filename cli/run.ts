import type { Command } from 'commander'
import { answerText, type Style } from './answer.js'
import type { Run, SharedOptions, Shell } from './command.js'
import { type Connections, openConnections } from './connections.js'
import { type Context, findContext } from './context.js'
import { type CredentialOptions, findCredentials } from './credentials.js'
import { wrongUsage } from './failure.js'
import { methodOf } from './login-method.js'
import type { Credentials } from './proof.js'
import type { Tell } from './read-text.js'
import { openSession, type Session } from './session.js'
import type { Environment } from './variables.js'

type Outside = { readonly environment: Environment; readonly folder: string }

/** The shell around every command: finds the installation, does the work, prints the answer, closes what was opened. */
export function runIn({ environment, folder }: Outside): Run {
  return async (command, work) => {
    const options = sharedOptions(command)
    const style = styleOf(options)
    const tell: Tell = (line, fields = {}) => void process.stderr.write(style === 'json' ? `${JSON.stringify({ note: line, ...fields })}\n` : `${line}\n`)
    const context = findContext(environment, folder, tell)
    const connections = openConnections(context, environment)
    try {
      const answer = await work(shellOf({ environment, context, connections, options, tell }))
      process.stdout.write(await answerText(answer, style))
      process.exitCode = answer.exitCode ?? 0
    } finally {
      connections.close()
    }
  }
}

type Parts = Pick<Shell, 'environment' | 'tell'> & { readonly context: Context; readonly connections: Connections; readonly options: SharedOptions }

function shellOf({ environment, context, connections, options, tell }: Parts): Shell {
  const warned = new Set<string>()
  // Who finds them again and again has heard it.
  const warn: Tell = (line) => {
    if (!warned.has(line)) tell(line)
    warned.add(line)
  }
  const find = (login: CredentialOptions) => findCredentials(login, { environment, context, tell: warn })
  const credentials: Shell['credentials'] = (login = {}) => find({ ...login, credentialsFile: options.actingFile })
  const open = (found: Credentials) => openSession(found, { context, connections, tell })
  let acting: Session | undefined
  return {
    context,
    connections,
    environment,
    tell,
    quiet: options.quiet === true,
    colours: process.stdout.isTTY ? !environment.NO_COLOR : false,
    method: (login = {}) => methodOf({ ...login, credentialsFile: options.actingFile }, environment),
    credentials,
    session: (login) => (acting ??= open(credentials(login))),
    operator: () => (context.credentialsFile === undefined ? undefined : open(find({ credentialsFile: context.credentialsFile }))),
  }
}

/** What was given behind the command counts before what was given ahead of it. */
function sharedOptions(command: Command): SharedOptions {
  const outer = command.parent === null ? {} : sharedOptions(command.parent)
  return { ...outer, ...command.opts<SharedOptions>() }
}

function styleOf({ json, quiet }: SharedOptions): Style {
  if (json && quiet) throw wrongUsage('Give either --json or --quiet.')
  if (json) return 'json'
  return quiet ? 'ids' : 'people'
}
