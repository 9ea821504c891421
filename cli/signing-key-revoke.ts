import type { Command } from 'commander'
import { ExchangeInternalServiceService as internal } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { askInternally } from './installation.js'

export function addSigningKeyRevoke(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'revoke <kid>',
    description: 'For a signing key that somebody else may have: every token that it signed is refused from now on, and its holders log in again. Not for the one that signs: rotate at once first.',
    example: 'signing-key revoke hR7Zy0cDfJ3mVvJ0bXqUe3QfXk6E3o3WqkqS6m0tq8E',
  })
  command.action((kid: string) => run(command, (shell) => revoke(shell, kid)))
}

async function revoke(shell: Shell, kid: string): Promise<Answer> {
  const { revision } = await askInternally(shell, internal.revokeSigningKey, { kid })
  return { document: { kid, revision }, ids: [kid], lines: [`The key ${kid} is gone: no token that it signed is good any more.`] }
}
