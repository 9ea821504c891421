import type { Command } from 'commander'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { type ClientSecret, GetClientSecretRequest } from '#libs/wire/gen/countersign/exchange/v1/client_secret.js'
import { addCommand, type Run } from './command.js'
import { identityIdOf } from './find.js'
import { type Cell, record } from './table.js'
import { stateOf } from './universal-auth.js'

export function addSecretGet(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'get <identity> <id>',
    description: 'Shows a client secret, named by its id: how it may be used, and when and from where it last was; the secret itself is shown nowhere.',
    example: 'secret get web 0198c0de-0000-7000-8000-000000000001',
  })
  command.action((nameOrId: string, id: string) =>
    run(command, async (shell) => {
      const session = shell.session()
      const identityId = await identityIdOf(session, nameOrId)
      const secret = await session.call('exchange', exchange.getClientSecret, GetClientSecretRequest.fromPartial({ identityId, id }))
      return { document: secret, ids: [secret.id], lines: record(secretFields(secret)) }
    }),
  )
}

const secretFields = (secret: ClientSecret): (readonly [string, Cell])[] => [
  ['client secret id', secret.id],
  ['state', stateOf(secret)],
  ['description', secret.description],
  ['uses', secret.useLimit === 0 ? secret.uses : `${secret.uses} of ${secret.useLimit}`],
  ['may be used from', secret.trustedIps?.cidrs.join(', ') ?? 'wherever its method trusts'],
  ['last used', secret.lastUsedTime],
  ['last used from', secret.lastUsedAddress],
  ['created', secret.createTime],
  ['expires', secret.expireTime ?? 'never'],
  ['revoked', secret.revokeTime],
  ['successor', secret.successorId],
]
