import type { Command } from 'commander'
import { CreateAccessTokenRequest, RevokeAccessTokenRequest } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { Failure, wrongUsage } from './failure.js'
import { findIdentity } from './find.js'
import { nextCommand } from './next-command.js'
import { type Reservation, reservePrivateFile } from './private-file.js'
import type { Session } from './session.js'
import { record } from './table.js'

type Options = { readonly name: string; readonly tokenFile?: string }

type Wanted = Options & { readonly identity: string; readonly reservation: Reservation | undefined }

export function addTokenCreate(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'create <identity>',
    description: 'Makes an access token for an identity with token-auth, for a workload that can not log in.',
    example: 'token create web --name "CI of main" --token-file token.txt',
  })
  command
    .requiredOption('--name <name>', 'what the token is for')
    .option('--token-file <file>', 'write the token to this new file (mode 0600) in place of printing it')
    .action((identity: string, options: Options) => run(command, (shell) => createToken(shell, identity, options)))
}

async function createToken(shell: Shell, identity: string, options: Options): Promise<Answer> {
  const { tokenFile } = options
  if (tokenFile === undefined && shell.quiet) throw wrongUsage('With --quiet the token would be lost: name a file for it with --token-file FILE.')
  const reservation = tokenFile === undefined ? undefined : reservePrivateFile(tokenFile)
  try {
    return await create(shell.session(), { ...options, identity, reservation })
  } finally {
    reservation?.release()
  }
}

async function create(session: Session, { identity: nameOrId, name, tokenFile, reservation }: Wanted): Promise<Answer> {
  const identity = await findIdentity(session, nameOrId)
  const { accessToken, ...made } = await session.call('exchange', exchange.createAccessToken, CreateAccessTokenRequest.fromPartial({ identityId: identity.id, name }))
  const { tokenId, expireTime, maxExpireTime } = made
  const fields = [['identity', identity.name], ['name', name], ['token id', tokenId], ['expires', expireTime], ['at the latest', maxExpireTime ?? 'never']] as const
  const document = { identityId: identity.id, name, ...made }
  if (tokenFile === undefined || reservation === undefined) {
    const notes = ['', 'The token is shown this once: keep it where only the workload can read it.']
    return { document: { ...document, accessToken }, ids: [tokenId], lines: [...record([...fields, ['token', accessToken]]), ...notes], next: nextCommand('token', 'list', '--identity', identity.name) }
  }
  await write(session, { tokenId, accessToken }, reservation)
  return { document: { ...document, tokenFile }, ids: [tokenId], lines: record([...fields, ['token', tokenFile]]), next: nextCommand('token', 'introspect', '--token-file', tokenFile) }
}

async function write(session: Session, { tokenId, accessToken }: { readonly tokenId: string; readonly accessToken: string }, reservation: Reservation): Promise<void> {
  try {
    reservation.write(`${accessToken}\n`)
  } catch (error) {
    // A token that nobody has must not stay good.
    await session.call('exchange', exchange.revokeAccessToken, RevokeAccessTokenRequest.fromPartial({ target: { $case: 'tokenId', value: tokenId } }))
    const reason = error instanceof Error ? error.message : String(error)
    throw new Failure({ exitCode: 2, reason: 'CREDENTIALS_NOT_WRITTEN', message: `The token could not be written, so it was revoked: ${reason}` })
  }
}
