import { randomBytes } from 'node:crypto'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Command } from 'commander'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { wrongUsage } from './failure.js'
import { table } from './table.js'

export function addTokenKeys(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'keys',
    description: 'Shows the public keys that verify access tokens; needs no credentials.',
    example: 'token keys --file countersign-keys.json',
  })
  command
    .option('--file <file>', 'put them into this file as a JSON Web Key Set, in place of an older one')
    .action(({ file }: { file?: string }) => run(command, (shell) => keys(shell, file)))
}

async function keys({ connections }: Shell, file: string | undefined): Promise<Answer> {
  const document = await connections.call('exchange', exchange.getJsonWebKeySet, {})
  const ids = document.keys.map(({ kid }) => kid)
  if (file === undefined) return { document, ids, lines: table(['key', 'algorithm'], document.keys.map(({ kid, alg }) => [kid, alg])) }
  replaceFile(file, `${JSON.stringify(document, undefined, 2)}\n`)
  return { document, ids, lines: [`${ids.length} public key${ids.length === 1 ? '' : 's'} in ${file}`] }
}

/** At any moment the file is there whole: whoever watches it is told of a rename. Public keys are for everybody to read. */
function replaceFile(path: string, text: string): void {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`)
  try {
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o644 })
    renameSync(temporary, path)
  } catch (error) {
    throw wrongUsage(`${path} can't be written: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    rmSync(temporary, { force: true })
  }
}
