import type { Command } from 'commander'
import type { Answer } from './answer.js'
import { addCommand, type Run, several, type Shell } from './command.js'
import { parseSeconds } from './duration.js'
import { findIdentity } from './find.js'
import { assertDelivers, commandAfter, makeSecret, withDestination } from './new-secret.js'
import { parseCount } from './pages.js'
import { record } from './table.js'

type Options = {
  readonly description?: string
  readonly ttl?: number
  readonly uses?: number
  readonly from?: readonly string[]
  readonly wrap?: number
  readonly credentialsFile?: string
}

export function addSecretCreate(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'create <identity>',
    description: 'Makes one more client secret of an identity.',
    example: 'secret create web --ttl 90d --credentials-file web-2.json',
  })
  command
    .option('--description <text>', 'what the secret is for')
    .option('--ttl <time>', 'how long it may be used: seconds, or 10m, 1h, 2d; without it, for ever', parseSeconds)
    .option('--uses <number>', 'how many logins it allows; without it, any number', parseCount)
    .option('--from <cidr>', 'an address or a range from where it may be used, within what the method trusts; may be repeated', several)
    .option('--wrap <time>', 'show a wrapping token in place of the secret, good for so long: whoever shows it first gets the secret, once', parseSeconds)
    .option('--credentials-file <file>', 'write client id and secret to this new file (mode 0600) in place of printing the secret')
    .action((identity: string, options: Options) => run(command, (shell) => createSecret(shell, identity, options)))
}

async function createSecret(shell: Shell, nameOrId: string, options: Options): Promise<Answer> {
  const { description, ttl, uses, from, wrap, credentialsFile } = options
  assertDelivers(options, shell)
  return withDestination(credentialsFile, shell, async (destination) => {
    const session = shell.session()
    const identity = await findIdentity(session, nameOrId)
    const secret = await makeSecret(session, { identity, description, ttlSeconds: ttl, useLimit: uses, from, wrapTtlSeconds: wrap }, destination)
    return {
      document: { identityId: identity.id, ...secret.document },
      ids: [secret.document.clientSecretId ?? ''],
      lines: [...record([['identity', identity.name], ...secret.fields]), ...secret.notes],
      next: commandAfter(identity, options),
    }
  })
}
