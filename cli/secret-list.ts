import type { Command } from 'commander'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { identityIdOf } from './find.js'
import { LIMIT, parseLimit } from './pages.js'
import { table } from './table.js'
import { allSecrets, stateOf } from './universal-auth.js'

export function addSecretList(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'list <identity>',
    description: 'Lists the client secrets of an identity, oldest first; the secrets themselves are shown nowhere.',
    example: 'secret list web',
  })
  command
    .option(...LIMIT, parseLimit)
    .action((identity: string, options: { limit?: number }) => run(command, (shell) => listSecrets(shell, identity, options.limit)))
}

async function listSecrets(shell: Shell, nameOrId: string, limit: number | undefined): Promise<Answer> {
  const session = shell.session()
  const secrets = await allSecrets(session, await identityIdOf(session, nameOrId), limit)
  const rows = secrets.map((secret) => [
    secret.id,
    stateOf(secret),
    secret.useLimit === 0 ? secret.uses : `${secret.uses} of ${secret.useLimit}`,
    secret.lastUsedTime,
    secret.expireTime,
    secret.description,
  ])
  return {
    document: secrets,
    ids: secrets.map(({ id }) => id),
    lines: rows.length > 0 ? table(['ID', 'STATE', 'USES', 'LAST USED', 'EXPIRES', 'DESCRIPTION'], rows) : ['No client secrets.'],
  }
}
