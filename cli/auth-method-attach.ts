import type { Command } from 'commander'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { AttachAuthMethodRequest } from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import type { Answer } from './answer.js'
import { authMethodFields } from './auth-method-message.js'
import { type Settings, settingsOf, withSettings } from './auth-method-settings.js'
import { addCommand, type Run, type Shell } from './command.js'
import { findIdentity } from './find.js'
import { type ConfigurationOptions, configurationOf } from './method-configuration.js'
import { nextCommand } from './next-command.js'
import { record } from './table.js'

type Wanted = Settings & ConfigurationOptions & { readonly method: string; readonly identity: string }

export function addAuthMethodAttach(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'attach <method> <identity>',
    description: 'Gives an identity an auth method: kubernetes-auth, oidc-auth or jwt-auth; or token-auth, by which operators make its tokens, for a workload that can not log in.',
    example: 'auth-method attach token-auth web --ttl 1d --max-ttl 90d',
  })
  command.option('--configuration <file>', 'what is demanded of proofs, in JSON; see docs/auth-methods.md')
  withSettings(command).action((method: string, identity: string, settings: Settings & ConfigurationOptions) => run(command, (shell) => attach(shell, { ...settings, method, identity })))
}

async function attach(shell: Shell, wanted: Wanted): Promise<Answer> {
  const configuration = configurationOf(wanted.method, wanted.configuration, shell.tell)
  const session = shell.session()
  const identity = await findIdentity(session, wanted.identity)
  const request = AttachAuthMethodRequest.fromPartial({ identityId: identity.id, ...settingsOf(wanted), configuration })
  const method = await session.call('exchange', exchange.attachAuthMethod, request)
  return {
    document: method,
    ids: [method.id],
    lines: record(authMethodFields(identity.name, method)),
    next: wanted.method === 'token-auth' ? nextCommand('token', 'create', identity.name, '--name', 'NAME', '--token-file', 'token.txt') : nextCommand('binding', 'create', identity.name, '--project', 'PROJECT', '--role', 'viewer'),
  }
}
