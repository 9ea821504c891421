import { Metadata } from '@grpc/grpc-js'
import type { FeedName } from '#libs/freshness/entities.js'
import { createRpcClient } from '#libs/rpc/client.js'
import { deadlineOf } from '#libs/rpc/deadline.js'
import { traceOf } from '#libs/rpc/trace.js'
import { ExchangeInternalServiceService as ExchangeInternal } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import { RegistryInternalServiceService as RegistryInternal } from '#libs/wire/gen/countersign/registry/v1/internal.js'
import { newAdmin } from '../../deploy/local/bootstrap.js'
import type { Group } from './group.js'
import { CALL_MILLIS, type Done, type Step } from './step.js'

/** A new organization at one owner, or the one that is there told again: neither changes an answer. */
export function bootstrapAgain(group: Group, feed: FeedName): Step {
  const { organization, random, tools } = group
  const admin = random.chance(0.5) ? newAdmin() : organization.admin
  const { fleet, secrets } = tools.world
  const address = feed === 'registry' ? fleet.addresses.registryInternal : fleet.addresses.exchangeInternal
  const attempt = async (): Promise<Done> => {
    const client = createRpcClient({ address, serviceCredential: `bootstrap:${secrets.bootstrapCredential}` })
    const outgoing = { deadline: deadlineOf(Infinity, CALL_MILLIS), trace: traceOf(new Metadata()) }
    try {
      if (feed === 'registry') await client.unary(RegistryInternal.bootstrap, { ...admin, organizationName: 'default', identityName: 'admin' }, outgoing)
      else await client.unary(ExchangeInternal.bootstrap, admin, outgoing)
      return {}
    } finally {
      client.close()
    }
  }
  return { what: 'Bootstrap', feed, attempt }
}
