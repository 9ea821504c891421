import type { Command } from 'commander'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { UnwrapClientSecretRequest } from '#libs/wire/gen/countersign/exchange/v1/client_secret.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { withDestination } from './new-secret.js'
import { nextCommand } from './next-command.js'
import { readSecret } from './read-text.js'
import { record } from './table.js'

type Options = { readonly tokenFile: string; readonly credentialsFile?: string }

export function addSecretUnwrap(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'unwrap',
    description: 'Shows a wrapping token and gets the client secret for it, once. It needs no credentials. Who is refused must have the secret revoked.',
    example: 'secret unwrap --token-file wrapping.txt --credentials-file web.json',
  })
  command
    .requiredOption('--token-file <file>', 'the wrapping token; - for standard input')
    .option('--credentials-file <file>', 'write client id and secret to this new file (mode 0600) in place of printing the secret')
    .action((options: Options) => run(command, (shell) => unwrapSecret(shell, options)))
}

const unwrapSecret = (shell: Shell, { tokenFile, credentialsFile }: Options): Promise<Answer> =>
  withDestination(credentialsFile, shell, async ({ reservation }) => {
    const wrappingToken = await readSecret(tokenFile, shell.tell)
    const { secret: clientSecret, ...ids } = await shell.connections.call('exchange', exchange.unwrapClientSecret, UnwrapClientSecretRequest.fromPartial({ wrappingToken }))
    const fields = [['identity', ids.identityId], ['client id', ids.clientId], ['client secret id', ids.clientSecretId]] as const
    if (credentialsFile === undefined || reservation === undefined) {
      const note = 'The client secret is shown this once: keep it where only the workload can read it.'
      return { document: { ...ids, clientSecret }, ids: [ids.clientSecretId], lines: [...record([...fields, ['client secret', clientSecret]]), '', note] }
    }
    reservation.write(`${JSON.stringify({ ...ids, clientSecret }, undefined, 2)}\n`)
    return {
      document: { ...ids, credentialsFile },
      ids: [ids.clientSecretId],
      lines: record([...fields, ['credentials', credentialsFile]]),
      next: nextCommand('login', '--credentials-file', credentialsFile),
    }
  })
