import type { Command } from 'commander'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { RotateClientSecretRequest } from '#libs/wire/gen/countersign/exchange/v1/client_secret.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { parseSeconds } from './duration.js'
import { findIdentity } from './find.js'
import { assertDelivers, commandAfter, delivered, withDestination } from './new-secret.js'
import { record } from './table.js'

type Options = { readonly overlap?: number; readonly wrap?: number; readonly credentialsFile?: string }

type Named = { readonly identity: string; readonly id: string }

export function addSecretRotate(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'rotate <identity> <id>',
    description: 'Makes a successor of a client secret, named by its id, with the same settings; the old one still logs in for an overlap.',
    example: 'secret rotate web 0198c0de-0000-7000-8000-000000000001 --overlap 1d --credentials-file web-2.json',
  })
  command
    .option('--overlap <time>', 'how long the old one still logs in: seconds, or 10m, 1h, 2d; without it, 1h; 0: not any more', parseSeconds)
    .option('--wrap <time>', 'show a wrapping token in place of the secret, good for so long: whoever shows it first gets the secret, once', parseSeconds)
    .option('--credentials-file <file>', 'write client id and secret to this new file (mode 0600) in place of printing the secret')
    .action((identity: string, id: string, options: Options) => run(command, (shell) => rotateSecret(shell, { identity, id }, options)))
}

async function rotateSecret(shell: Shell, { identity: nameOrId, id }: Named, options: Options): Promise<Answer> {
  assertDelivers(options, shell)
  return withDestination(options.credentialsFile, shell, async (destination) => {
    const session = shell.session()
    const identity = await findIdentity(session, nameOrId)
    const request = RotateClientSecretRequest.fromPartial({ identityId: identity.id, id, overlapSeconds: options.overlap, wrapTtlSeconds: options.wrap ?? 0 })
    const made = await session.call('exchange', exchange.rotateClientSecret, request)
    const { predecessor } = made
    const secret = await delivered(session, { identity, made }, destination)
    const old = [['old secret', id], ['old one ends', predecessor?.expireTime], ['old one last used', predecessor?.lastUsedTime]] as const
    return {
      document: { identityId: identity.id, ...secret.document, predecessor },
      ids: [secret.document.clientSecretId ?? ''],
      lines: [...record([['identity', identity.name], ...old, ...secret.fields]), ...secret.notes],
      next: commandAfter(identity, options),
    }
  })
}
