import { randomBytes } from 'node:crypto'
import { systemClock } from '#libs/clock.js'
import { createIds } from '#libs/ids.js'
import { secretText } from '../../services/auth-exchange/domain/client-secret.js'
import { stampOf } from './revisions.js'
import type { Builder } from './request-builder.js'

// Valid requests of what services ask of each other.

const ids = createIds(systemClock)

// A workload's admin is the first identity of its organization: for these requests the caller is a service.
export const registryInternal: Record<string, readonly Builder[]> = {
  ResolveGrants: [
    ({ organizationId, workload, projectId }) => ({ organization_id: organizationId, identity_id: workload.identityId, project_id: projectId }),
    ({ organizationId, workload }) => ({ organization_id: organizationId, identity_id: workload.identityId }),
  ],
  ResolveRole: [
    ({ organizationId, projectRole }) => ({ organization_id: organizationId, role_id: projectRole.id }),
    ({ organizationId, organizationRole }) => ({ organization_id: organizationId, role_id: organizationRole.id }),
  ],
  DescribeIdentity: [({ organizationId, workload }) => ({ organization_id: organizationId, identity_id: workload.identityId })],
  CheckCoverage: [
    ({ organizationId, earlier, workload }) => ({
      organization_id: organizationId,
      caller_identity_id: earlier.identityId,
      identity_id: workload.identityId,
      resource: 'client-secret',
    }),
  ],
  Bootstrap: [
    ({ organizationId, workload, tag }) => ({
      organization_id: organizationId,
      organization_name: `${tag}-organization`,
      identity_id: workload.identityId,
      identity_name: workload.name,
    }),
  ],
}

export const exchangeInternal: Record<string, readonly Builder[]> = {
  DescribeToken: [({ workload }) => ({ access_token: workload.token })],
  ConsumeUse: [({ workload }) => ({ access_token: workload.token, source_address: '127.0.0.1' })],
  DescribePrincipal: [({ organizationId, workload }) => ({ organization_id: organizationId, name: workload.principal })],
  Bootstrap: [
    async ({ organizationId, identity }) => ({
      organization_id: organizationId,
      identity_id: (await identity()).id,
      client_id: ids.next(),
      client_secret: secretText(ids.next(), randomBytes(32)),
    }),
  ],
  ListSigningKeys: [() => ({})],
  RotateSigningKey: [() => ({ at_once: 1 })],
  RevokeSigningKey: [async ({ preparedKid }) => ({ kid: await preparedKid() })],
}

export const changeFeed: Record<string, readonly Builder[]> = {
  PullChanges: [
    () => ({}),
    // All changes of everybody.
    async ({ revision }) => ({ epoch: stampOf(await revision()).epoch, after: 0 }),
  ],
}
