import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { z } from 'zod'
import { address, readConfig } from '#libs/env.js'
import { type Admin, bootstrap as tellOwners, newAdmin, readAdmin } from '../deploy/local/bootstrap.js'
import type { Answer } from './answer.js'
import { channelTo, pemFrom } from './channel.js'
import { addCommand, type Run, type Shell } from './command.js'
import { nextCommand } from './next-command.js'
import { reservePrivateFile } from './private-file.js'
import { warnIfOpenToOthers } from './read-text.js'
import { record } from './table.js'

const settings = z.object({
  COUNTERSIGN_REGISTRY_INTERNAL: address,
  COUNTERSIGN_EXCHANGE_INTERNAL: address,
  COUNTERSIGN_BOOTSTRAP_CREDENTIAL: z.string().regex(/^(bootstrap:)?[^:]{32,}$/, 'must be the secret of the internal caller `bootstrap`').transform((text) => text.replace(/^bootstrap:/, '')),
})

type Options = { readonly credentialsFile: string; readonly organizationName: string; readonly identityName: string }

export function addBootstrap(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'bootstrap',
    description: 'Makes the first organization and its admin, by the internal listeners of both owners. It may be repeated: with the same file it makes the same ones.',
    example: 'bootstrap --credentials-file admin.json',
  })
  command
    .requiredOption('--credentials-file <file>', 'where client id and secret are kept (mode 0600): made where it is not there, else what it holds is used again')
    .option('--organization-name <name>', 'of the organization', 'default')
    .option('--identity-name <name>', 'of the admin', 'admin')
    .action((options: Options) => run(command, (shell) => bootstrap(shell, options)))
}

async function bootstrap(shell: Shell, { credentialsFile, organizationName, identityName }: Options): Promise<Answer> {
  const given = readConfig(settings, shell.environment)
  const pem = pemFrom(shell.environment)
  const admin = keptAdmin(shell, credentialsFile)
  const addresses = { registryInternal: given.COUNTERSIGN_REGISTRY_INTERNAL, exchangeInternal: given.COUNTERSIGN_EXCHANGE_INTERNAL }
  const channels = { registry: channelTo('registry', pem), exchange: channelTo('exchange', pem) }
  await tellOwners(addresses, { credential: given.COUNTERSIGN_BOOTSTRAP_CREDENTIAL, channels, organizationName, identityName }, admin)
  const { organizationId, identityId, clientId } = admin
  return {
    document: { organizationId, identityId, clientId, credentialsFile },
    ids: [identityId],
    lines: record([['organization', organizationId], ['admin', identityId], ['client id', clientId], ['credentials', credentialsFile]]),
    next: nextCommand('whoami', '--credentials-file', credentialsFile),
  }
}

/** Chosen and kept before any service hears of it, so that a crash in between can be made good by the same command. */
function keptAdmin({ tell }: Shell, file: string): Admin {
  const kept = existsSync(file) ? readAdmin(file) : undefined
  if (kept) {
    warnIfOpenToOthers(file, tell)
    tell(`${file} is there: going on with the admin in it.`)
    return kept
  }
  const made = newAdmin()
  const reservation = reservePrivateFile(file)
  try {
    reservation.write(`${JSON.stringify(made, undefined, 2)}\n`)
  } finally {
    reservation.release()
  }
  return made
}
