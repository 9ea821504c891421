import type { Command } from 'commander'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { type AuthMethod, ListAuthMethodsRequest } from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import { addressesOf, usesOf } from './auth-method-message.js'
import { addCommand, type Run } from './command.js'
import { identityIdOf } from './find.js'
import { table } from './table.js'

export function addAuthMethodList(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'list <identity>',
    description: 'Lists the auth methods of an identity; -q prints their names.',
    example: 'auth-method list web',
  })
  command.action((identity: string) =>
    run(command, async (shell) => {
      const session = shell.session()
      const identityId = await identityIdOf(session, identity)
      const { authMethods } = await session.call('exchange', exchange.listAuthMethods, ListAuthMethodsRequest.fromPartial({ identityId }))
      return { document: authMethods, ids: authMethods.map(({ method }) => method), lines: methodTable(authMethods) }
    }),
  )
}

function methodTable(methods: readonly AuthMethod[]): string[] {
  if (methods.length === 0) return ['No auth methods.']
  const rows = methods.map((one) => [one.method, `${one.accessTokenTtlSeconds} s`, `${one.accessTokenMaxTtlSeconds} s`, usesOf(one), addressesOf(one), one.createTime])
  return table(['METHOD', 'TOKEN TTL', 'AT THE MOST', 'TOKEN USES', 'TOKENS FROM', 'CREATED'], rows)
}
