import type { Unary } from '#libs/rpc/unary.js'
import type { GetOrganizationRequest, Organization as OrganizationMessage } from '#libs/wire/gen/countersign/registry/v1/organization.js'
import type { Reading } from '../ports.js'
import { getOrganization as readOrganization } from '../store/organizations.js'
import { toOrganizationMessage } from './organization-message.js'

export function getOrganization({ db, authorization }: Reading): Unary<GetOrganizationRequest, OrganizationMessage> {
  return async (_request, call) => {
    const caller = await authorization.require(call, { action: 'read', resource: 'organization' })
    return toOrganizationMessage(await readOrganization(db, caller.organizationId))
  }
}
