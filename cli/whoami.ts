import type { Command } from 'commander'
import { DomainError } from '#libs/domain-error.js'
import { CheckRequest } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { GetIdentityRequest } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import { IdentityRegistryServiceService as registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { GetOrganizationRequest } from '#libs/wire/gen/countersign/registry/v1/organization.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { identityDocument } from './identity-message.js'
import { holderFields } from './proof.js'
import { checkOwn } from './presented-token.js'
import { record } from './table.js'

export function addWhoami(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'whoami',
    description: 'Shows the acting identity, its token, and where its credentials come from.',
    example: 'whoami --credentials-file web.json',
  })
  command.action(() => run(command, whoami))
}

async function whoami(shell: Shell): Promise<Answer> {
  const session = shell.session()
  // Any question will do: the answer says whose token it is.
  const token = await checkOwn(shell, CheckRequest.fromPartial({ action: 'read', resource: { type: 'identity' } }))
  const { identityId, organizationId, tokenId, tokenExpireTime } = token
  const identity = await ifPermitted(session.call('registry', registry.getIdentity, GetIdentityRequest.fromPartial({ id: identityId })))
  const organization = await ifPermitted(session.call('registry', registry.getOrganization, GetOrganizationRequest.fromPartial({})))
  const { context } = shell
  const { holder, source: credentialsSource } = session.credentials
  const identityName = identity?.name ?? token.identityName
  const state = identity && identityDocument(identity).state
  return {
    document: {
      identityId,
      identityName,
      state,
      organizationId,
      organizationName: organization?.name,
      tokenId,
      tokenExpireTime,
      credentials: { ...holder, source: credentialsSource },
      addresses: {
        registry: context.addressOf('registry'),
        exchange: context.addressOf('exchange'),
        check: context.addressOf('check'),
        source: context.source,
      },
    },
    ids: [identityId],
    lines: record([
      ['identity', `${identityName} (${identityId})`],
      ['state', state],
      ['organization', organization === undefined ? organizationId : `${organization.name} (${organizationId})`],
      ['token', tokenId],
      ['expires', tokenExpireTime],
      ...holderFields(holder),
      ['credentials', credentialsSource],
      ['addresses', context.source],
    ]),
  }
}

async function ifPermitted<Message>(asked: Promise<Message>): Promise<Message | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof DomainError && error.kind === 'PERMISSION_DENIED') return undefined
    throw error
  }
}
