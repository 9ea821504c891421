import type { Command } from 'commander'
import { ExchangeInternalServiceService as internal } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { askInternally } from './installation.js'
import { HEADINGS, rowOf, toDocument } from './signing-key-message.js'
import { table } from './table.js'

export function addSigningKeyList(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'list',
    description: 'Lists the signing keys of the installation with their states, oldest first.',
    example: 'signing-key list',
  })
  command.action(() => run(command, listSigningKeys))
}

async function listSigningKeys(shell: Shell): Promise<Answer> {
  const { keys } = await askInternally(shell, internal.listSigningKeys, {})
  return { document: keys.map(toDocument), ids: keys.map(({ kid }) => kid), lines: table(HEADINGS, keys.map(rowOf)) }
}
