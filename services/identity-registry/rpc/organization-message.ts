import { Organization as OrganizationMessage } from '#libs/wire/gen/countersign/registry/v1/organization.js'
import type { Organization } from '../domain/identity.js'

export const toOrganizationMessage = (organization: Organization): OrganizationMessage => OrganizationMessage.fromPartial(organization)
