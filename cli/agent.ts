import type { Command } from 'commander'
import type { Answer } from './answer.js'
import { keepFresh } from './agent/run-agent.js'
import { obtainOnce } from './agent/obtain-once.js'
import { prepareGiven, prepareLogins } from './agent/prepare-source.js'
import { tokenFile } from './agent/token-file.js'
import { loopbackAddress } from './agent/serve.js'
import { addCommand, type Run, several, type Shell } from './command.js'
import { wrongUsage } from './failure.js'
import type { MethodOptions } from './login-method.js'
import { addProofOptions } from './proof-options.js'

type Options = MethodOptions & {
  readonly file?: readonly string[]
  readonly socket?: readonly string[]
  readonly listen?: readonly string[]
  readonly once?: boolean
  readonly renew?: boolean
  readonly revokeOnExit?: boolean
}

export function addAgent(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'agent',
    description: 'Keeps a fresh access token for applications that can not log in themselves: in files, on Unix sockets, or on loopback addresses.',
    example: 'agent --credentials-file web.json --file run/token --listen 127.0.0.1:8081',
  })
  addProofOptions(command, ['token-auth'])
    .option('--token-file <file>', 'token-auth: the file that holds the token which is renewed, - for standard input')
    .option('--file <path>', 'keep the token in this file (mode 0600), replaced in one step; may be given several times', several)
    .option('--socket <path>', 'answer GET /token over HTTP on this Unix socket (mode 0600); may be given several times', several)
    .option('--listen <address>', 'the same on this loopback address, 127.0.0.1:PORT; may be given several times', several)
    .option('--no-renew', 'log in each time, also where a renewal would do: for tokens of limited uses, which a renewal does not give back')
    .option('--once', 'log in, or renew, once, write the files, and exit')
    .option('--revoke-on-exit', 'at SIGTERM or SIGINT revoke the tokens that were obtained, and remove the files')
    .action((options: Options) => run(command, (shell) => agent(shell, options)))
}

async function agent(shell: Shell, options: Options): Promise<Answer> {
  const { file = [], socket = [], listen = [], once = false, revokeOnExit = false } = options
  if (once && (file.length === 0 || socket.length + listen.length > 0)) throw wrongUsage('--once writes files: it needs --file, and neither --socket nor --listen.')
  if (once && revokeOnExit) throw wrongUsage('--once leaves a token for others to use: --revoke-on-exit would take it away at once.')
  if (file.length + socket.length + listen.length === 0) throw wrongUsage('Where is the token to go? Give --file, --socket or --listen.')
  // What can be seen to be wrong is said before anything begins.
  listen.forEach(loopbackAddress)
  shell.context.addressOf('exchange')
  const prepare = shell.method(options) === 'token-auth' ? prepareGiven : prepareLogins
  const sourceBeside = await prepare(shell, options)
  const files = file.map(tokenFile)
  const source = sourceBeside(files)
  return once ? obtainOnce(source, files) : keepFresh(shell, { source, files, sockets: socket, loopbacks: listen, revokeOnExit })
}
