import type { Command } from 'commander'
import { z } from 'zod'
import { namedKeys, readConfig } from '#libs/env.js'
import type { Organization } from '../deploy/database/recover-admin.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { databaseOfOperator } from './database.js'
import { Failure, wrongUsage } from './failure.js'
import { withDestination } from './new-secret.js'
import { nextCommand } from './next-command.js'
import { record } from './table.js'

const settings = z.object({ PEPPERS: namedKeys('makes new digests').optional() })

type Options = { readonly organization?: string; readonly reason: string; readonly credentialsFile?: string }

export function addRecoverAdmin(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'recover-admin',
    description: 'For when no admin is left: by the database (MIGRATE_DATABASE_URL) it makes an identity that is admin of an organization for one hour. It is audited.',
    example: 'recover-admin --organization default --reason "INC-42" --credentials-file recovery.json',
  })
  command
    .option('--organization <organization>', 'its name or id; without it, the only one that there is')
    .option('--reason <text>', 'why, for the audit', '')
    .option('--credentials-file <file>', 'write client id and secret to this new file (mode 0600) in place of printing the secret')
    .action((options: Options) => run(command, (shell) => recover(shell, options)))
}

async function recover(shell: Shell, { organization: wanted, reason, credentialsFile }: Options): Promise<Answer> {
  const { PEPPERS } = readConfig(settings, shell.environment)
  const place = databaseOfOperator(shell)
  if (place === undefined) throw wrongUsage('MIGRATE_DATABASE_URL (or MIGRATE_DATABASE_URL_FILE) is missing: the database is where an admin is made.')
  // argon2id is native and slow to load, and no other command needs it.
  const { findOrganizations, recoverAdmin } = await import('../deploy/database/recover-admin.js')
  const organization = theOnly(await findOrganizations(place, wanted), wanted)
  return withDestination(credentialsFile, shell, async ({ reservation }) => {
    const { clientSecret, ...made } = await recoverAdmin(place, { organization, reason, pepper: PEPPERS?.[0] })
    const { identityId, clientId, clientSecretId, name, endTime } = made
    reservation?.write(`${JSON.stringify({ organizationId: organization.id, identityId, clientId, clientSecretId, clientSecret }, undefined, 2)}\n`)
    const shown = credentialsFile === undefined ? { clientSecret } : { credentialsFile }
    return {
      document: { organizationId: organization.id, organizationName: organization.name, ...made, ...shown },
      ids: [identityId],
      lines: [
        ...record([['organization', `${organization.name} (${organization.id})`], ['identity', `${name} (${identityId})`], ['admin until', endTime], ['client id', clientId], ...Object.entries(shown)]),
        '',
        'Make a lasting admin with it, and then delete it. The audit of both services has an event RecoverAdmin.',
      ],
      next: nextCommand(...(credentialsFile === undefined ? [] : ['--credentials-file', credentialsFile]), 'identity', 'create', 'NAME', '--role', 'admin', '--universal-auth'),
    }
  })
}

function theOnly(found: readonly Organization[], wanted: string | undefined): Organization {
  const [organization, ...others] = found
  if (organization && others.length === 0) return organization
  const named = found.map(({ id, name }) => `${name} (${id})`).join(', ')
  if (organization) throw wrongUsage(`There are several organizations: ${named}. Name one with --organization.`)
  const message = wanted === undefined ? 'There is no organization yet: `countersign bootstrap` makes the first.' : `There is no organization with the name or id ${wanted}.`
  throw new Failure({ exitCode: 1, reason: 'ORGANIZATION_NOT_FOUND', message, metadata: wanted === undefined ? {} : { organization: wanted } })
}
