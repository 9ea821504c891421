import type { Command } from 'commander'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { databaseOfOperator } from './database.js'
import { wrongUsage } from './failure.js'
import { table } from './table.js'

type Options = { readonly revokeTokens?: boolean; readonly revokeSecrets?: boolean }

export function addRestored(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'restored',
    description: 'After a restore of the database (MIGRATE_DATABASE_URL), before services start: voids what was cached, and what the restore may have given back.',
    example: 'restored --revoke-tokens',
  })
  command
    .option('--revoke-tokens', 'also every token that was ever issued: those that were revoked after the backup come back otherwise')
    .option('--revoke-secrets', 'also every client secret and principal, and every token: for a restore after a break-in')
    .action((options: Options) => run(command, (shell) => afterRestore(shell, options)))
}

async function afterRestore(shell: Shell, { revokeTokens, revokeSecrets }: Options): Promise<Answer> {
  const place = databaseOfOperator(shell)
  if (place === undefined) throw wrongUsage('MIGRATE_DATABASE_URL (or MIGRATE_DATABASE_URL_FILE) is missing: which database was restored?')
  // See recover-admin.ts.
  const { restored } = await import('../deploy/database/restored.js')
  const extent = revokeSecrets ? 'secrets' : revokeTokens ? 'tokens' : 'needful'
  const { revokedSecrets: revoked, deletedPrincipals: deleted, revokedTokens } = await restored(place, extent)
  const tokens = { needful: 'Tokens of before the backup are good as they were then, but for those with a limited number of uses.', tokens: 'No token of before is good.', secrets: 'No token, no client secret and no principal of before is good.' }[extent]
  return {
    document: { extent, revokedClientSecrets: revoked, deletedPrincipals: deleted, revokedTokens },
    ids: [...revoked, ...deleted].map(({ id }) => id),
    lines: [
      `Both feeds have a new epoch: nothing that was cached before is used. ${tokens}`,
      ...(revokedTokens === 0 ? [] : ['', `Access tokens with a limited number of uses revoked (${revokedTokens}): their holders log in again.`]),
      ...(revoked.length === 0 ? [] : ['', `Client secrets revoked (${revoked.length}); make others for whoever needs them:`, ...table(['ORGANIZATION', 'IDENTITY', 'CLIENT SECRET'], revoked.map(({ organizationId, identityId, id }) => [organizationId, identityId, id]))]),
      ...(deleted.length === 0 ? [] : ['', `Principals deleted (${deleted.length}); create those again that are to stay:`, ...table(['ORGANIZATION', 'IDENTITY', 'PRINCIPAL'], deleted.map(({ organizationId, identityId, name }) => [organizationId, identityId, name]))]),
    ],
  }
}
