import { RevokeAccessTokensRequest } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { Answer } from './answer.js'
import type { Shell } from './command.js'
import { wrongUsage } from './failure.js'
import { identityIdOf } from './find.js'
import type { Session } from './session.js'

/** Whose tokens: all of an identity, or those of its auth method or one of its client secrets; or all of the organization. */
export type AllOf = { readonly allOf?: string; readonly method?: string; readonly secretId?: string; readonly allOfOrganization?: boolean }

export const isOfMany = ({ allOf, method, secretId, allOfOrganization }: AllOf): boolean => [allOf, method, secretId, allOfOrganization].some((one) => one !== undefined)

export async function revokeAllOf(shell: Shell, options: AllOf): Promise<Answer> {
  const { allOf, method, secretId, allOfOrganization } = options
  if ((allOf === undefined) === (allOfOrganization === undefined)) throw wrongUsage('Give either --all-of with an identity or --all-of-organization.')
  if (allOf === undefined && (method !== undefined || secretId !== undefined)) throw wrongUsage('--method and --secret-id are of an identity: give --all-of.')
  if (method !== undefined && secretId !== undefined) throw wrongUsage('Give either --method or --secret-id.')
  const session = shell.session()
  const request = allOf === undefined ? { of: { $case: 'organization', value: {} } as const } : { of: await tokensOf(session, { ...options, allOf }) }
  const { revision } = await session.call('exchange', exchange.revokeAccessTokens, RevokeAccessTokensRequest.fromPartial(request))
  const whose = [secretId !== undefined && `client secret ${secretId}`, method !== undefined && `method ${method}`, allOf ?? 'the organization'].filter((part) => part !== false)
  return { document: { revoked: true, revision }, ids: [], lines: [`revoked all tokens of ${whose.join(' of ')}`] }
}

async function tokensOf(session: Session, { allOf, method, secretId }: AllOf & { readonly allOf: string }): Promise<NonNullable<RevokeAccessTokensRequest['of']>> {
  const identityId = await identityIdOf(session, allOf)
  if (method !== undefined) return { $case: 'authMethod', value: { identityId, method } }
  if (secretId !== undefined) return { $case: 'clientSecret', value: { identityId, id: secretId } }
  return { $case: 'identityId', value: identityId }
}
