import type { Command } from 'commander'
import type { Answer } from './answer.js'
import { addCommand, type Run, type SharedOptions, type Shell } from './command.js'
import { nextCommand } from './next-command.js'
import { record } from './table.js'

type Options = SharedOptions & { readonly clientId?: string; readonly clientSecretFile?: string; readonly printToken?: boolean }

export function addLogin(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'login',
    description: 'Logs in and keeps the token for later commands. The client secret is asked for where no file and no variable holds it.',
    example: 'login --credentials-file web.json',
  })
  command
    .option('--client-id <id>', 'log in with this client id')
    .option('--client-secret-file <file>', 'the file that holds its secret, - for standard input')
    .option('--print-token', 'print the access token and nothing else')
    .action((options: Options) => run(command, (shell) => login(shell, options)))
}

async function login(shell: Shell, { clientId, clientSecretFile, printToken = false, actingFile }: Options): Promise<Answer> {
  const session = shell.session({ clientId, clientSecretFile, mayAsk: true })
  const { accessToken, tokenId, expireTime, expiresInSeconds } = await session.login()
  const { credentials } = session
  const document = { tokenId, expireTime, expiresInSeconds, clientId: credentials.clientId }
  if (printToken) return { document: { accessToken, ...document }, ids: [accessToken], lines: [accessToken] }
  const setting = clientId === undefined ? '' : `COUNTERSIGN_CLIENT_ID=${clientId} `
  const as = actingFile === undefined ? [] : ['--credentials-file', actingFile]
  return {
    document,
    ids: [tokenId],
    lines: record([['token id', tokenId], ['expires', expireTime], ['client id', credentials.clientId], ['from', credentials.source]]),
    next: `${setting}${nextCommand('check', 'read', 'orders', '--project', 'PROJECT', ...as)}`,
  }
}
