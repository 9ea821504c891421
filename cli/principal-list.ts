import type { Command } from 'commander'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { ListPrincipalsRequest, type Principal } from '#libs/wire/gen/countersign/exchange/v1/principal.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { identityIdOf } from './find.js'
import { identityNamesOf } from './names-of.js'
import { allPages, LIMIT, parseLimit } from './pages.js'
import type { Session } from './session.js'
import { table } from './table.js'

type Options = { readonly identity?: string; readonly limit?: number }

export function addPrincipalList(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'list',
    description: 'Lists the names in client certificates that stand for identities, oldest first.',
    example: 'principal list --identity web',
  })
  command
    .option('--identity <identity>', 'only those of this identity')
    .option(...LIMIT, parseLimit)
    .action((options: Options) => run(command, (shell) => listPrincipals(shell, options)))
}

async function listPrincipals(shell: Shell, options: Options): Promise<Answer> {
  const session = shell.session()
  const identityId = options.identity === undefined ? '' : await identityIdOf(session, options.identity)
  const principals = await allPages(options.limit, async (page) => {
    const { principals: items, nextPageToken } = await session.call('exchange', exchange.listPrincipals, ListPrincipalsRequest.fromPartial({ ...page, identityId }))
    return { items, nextPageToken }
  })
  return { document: principals, ids: principals.map(({ id }) => id), lines: () => principalTable(session, principals) }
}

async function principalTable(session: Session, principals: readonly Principal[]): Promise<string[]> {
  if (principals.length === 0) return ['No principals.']
  const identityName = await identityNamesOf(session, principals.map(({ identityId }) => identityId))
  return table(['ID', 'IDENTITY', 'PRINCIPAL', 'CREATED'], principals.map(({ id, identityId, name, createTime }) => [id, identityName(identityId), name, createTime]))
}
