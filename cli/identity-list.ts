import type { Command } from 'commander'
import { ListIdentitiesRequest } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import { IdentityRegistryServiceService as registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { identityDocument } from './identity-message.js'
import { allPages, LIMIT, parseLimit } from './pages.js'
import { table } from './table.js'

export function addIdentityList(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'list',
    description: 'Lists the identities of the organization, oldest first.',
    example: 'identity list --limit 20',
  })
  command.option(...LIMIT, parseLimit).action((options: { limit?: number }) => run(command, (shell) => listIdentities(shell, options.limit)))
}

async function listIdentities(shell: Shell, limit: number | undefined): Promise<Answer> {
  const session = shell.session()
  const identities = await allPages(limit, async (page) => {
    const { identities: items, nextPageToken } = await session.call('registry', registry.listIdentities, ListIdentitiesRequest.fromPartial(page))
    return { items, nextPageToken }
  })
  const documents = identities.map(identityDocument)
  const rows = documents.map(({ id, name, state, createTime }) => [id, name, state, createTime])
  return {
    document: documents,
    ids: identities.map(({ id }) => id),
    lines: rows.length > 0 ? table(['ID', 'NAME', 'STATE', 'CREATED'], rows) : ['No identities.'],
  }
}
