import type { Command } from 'commander'
import { ExchangeInternalServiceService as internal } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { Failure } from './failure.js'
import { askInternally } from './installation.js'
import { nextCommand } from './next-command.js'
import { HEADINGS, rowOf, toDocument } from './signing-key-message.js'
import { table } from './table.js'

export function addSigningKeyRotate(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'rotate',
    description: 'Prepares another signing key, which signs once it has been published for long enough (SIGNING_KEY_LEAD_MINUTES). Where one is prepared already, that one is shown.',
    example: 'signing-key rotate',
  })
  command
    .option('--at-once', 'let it sign now: whoever verifies tokens by published keys that it has fetched before refuses new tokens until it fetches them again')
    .action(({ atOnce = false }: { atOnce?: boolean }) => run(command, (shell) => rotate(shell, atOnce)))
}

async function rotate(shell: Shell, atOnce: boolean): Promise<Answer> {
  const { key, revision } = await askInternally(shell, internal.rotateSigningKey, { atOnce })
  if (!key) throw new Failure({ exitCode: 1, reason: 'SIGNING_KEY_NOT_FOUND', message: 'The key that was made is gone already: somebody else revoked it.' })
  return { document: { ...toDocument(key), revision }, ids: [key.kid], lines: table(HEADINGS, [rowOf(key)]), next: nextCommand('signing-key', 'list') }
}
