import type { Command } from 'commander'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { UpdateAuthMethodRequest } from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import type { Answer } from './answer.js'
import { authMethodFields } from './auth-method-message.js'
import { type Settings, settingsOf, withSettings } from './auth-method-settings.js'
import { addCommand, type Run, type Shell } from './command.js'
import { wrongUsage } from './failure.js'
import { findIdentity } from './find.js'
import { type ConfigurationOptions, configurationOf } from './method-configuration.js'
import { record } from './table.js'

type Wanted = Settings & ConfigurationOptions & { readonly method: string; readonly identity: string }

export function addAuthMethodUpdate(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'update <method> <identity>',
    description: 'Changes what is given of an auth method; tokens that were issued keep what they were issued with, but for where they may be used.',
    example: 'auth-method update token-auth web --ttl 12h',
  })
  command.option('--configuration <file>', 'in place of all that is demanded of proofs, in JSON; see docs/auth-methods.md')
  withSettings(command).action((method: string, identity: string, settings: Settings & ConfigurationOptions) => run(command, (shell) => update(shell, { ...settings, method, identity })))
}

async function update(shell: Shell, wanted: Wanted): Promise<Answer> {
  const settings = settingsOf(wanted)
  const configuration = wanted.configuration === undefined ? undefined : configurationOf(wanted.method, wanted.configuration, shell.tell)
  if (!configuration && Object.values(settings).every((setting) => setting === undefined)) throw wrongUsage('Give at least one setting to change.')
  const session = shell.session()
  const identity = await findIdentity(session, wanted.identity)
  const request = UpdateAuthMethodRequest.fromPartial({ identityId: identity.id, method: wanted.method, ...settings, configuration })
  const method = await session.call('exchange', exchange.updateAuthMethod, request)
  return { document: method, ids: [method.id], lines: record(authMethodFields(identity.name, method)) }
}
