import type { Command } from 'commander'
import type { Answer } from './answer.js'
import { addCommand, type Run, type SharedOptions, type Shell } from './command.js'
import { nextCommand } from './next-command.js'
import type { MethodOptions } from './login-method.js'
import { holderFields } from './proof.js'
import { addProofOptions } from './proof-options.js'
import { record } from './table.js'

type Options = SharedOptions & MethodOptions & { readonly printToken?: boolean }

export function addLogin(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'login',
    description: 'Logs in and keeps the token for later commands. The client secret is asked for where no file and no variable holds it.',
    example: 'login --credentials-file web.json',
  })
  addProofOptions(command)
    .option('--print-token', 'print the access token and nothing else')
    .action((options: Options) => run(command, (shell) => login(shell, options)))
}

/** Has later commands act as this one did. */
function settings({ method, clientId, identity }: MethodOptions): string {
  const given = { COUNTERSIGN_METHOD: method, COUNTERSIGN_CLIENT_ID: clientId, COUNTERSIGN_IDENTITY: identity }
  return Object.entries(given).map(([name, value]) => (value === undefined ? '' : `${name}=${value} `)).join('')
}

async function login(shell: Shell, { printToken = false, actingFile, ...options }: Options): Promise<Answer> {
  const session = shell.session({ ...options, mayAsk: true })
  const { accessToken, tokenId, expireTime, expiresInSeconds } = await session.login()
  const { holder, source } = session.credentials
  const document = { tokenId, expireTime, expiresInSeconds, ...holder }
  if (printToken) return { document: { accessToken, ...document }, ids: [accessToken], lines: [accessToken] }
  const as = actingFile === undefined ? [] : ['--credentials-file', actingFile]
  return {
    document,
    ids: [tokenId],
    lines: record([['token id', tokenId], ['expires', expireTime], ...holderFields(holder), ['from', source]]),
    next: `${settings(options)}${nextCommand('check', 'read', 'orders', '--project', 'PROJECT', ...as)}`,
  }
}
