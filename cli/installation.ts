import { Metadata } from '@grpc/grpc-js'
import { z } from 'zod'
import { address, readConfig } from '#libs/env.js'
import { createRpcClient, type UnaryMethod } from '#libs/rpc/client.js'
import { deadlineOf } from '#libs/rpc/deadline.js'
import { CREDENTIAL_HEADER, serviceCredential } from '#libs/rpc/service-credential.js'
import { traceOf } from '#libs/rpc/trace.js'
import { channelTo, pemFrom } from './channel.js'
import type { Shell } from './command.js'
import { wrongUsage } from './failure.js'

// What belongs to no organization is asked of auth-exchange's internal listener, as a caller that may ask about every one.

const settings = z.object({ COUNTERSIGN_EXCHANGE_INTERNAL: address.optional(), COUNTERSIGN_OPERATOR_CREDENTIAL: serviceCredential.optional() })

const CALL_MILLIS = 10_000

export async function askInternally<Request, Response>({ environment, context }: Shell, method: UnaryMethod<Request, Response>, request: Request): Promise<Response> {
  const given = readConfig(settings, environment)
  const at = given.COUNTERSIGN_EXCHANGE_INTERNAL ?? context.stores.exchangeInternal
  const credential = given.COUNTERSIGN_OPERATOR_CREDENTIAL ?? context.stores.operatorCredential
  if (at === undefined) throw wrongUsage('COUNTERSIGN_EXCHANGE_INTERNAL is missing: the host:port of auth-exchange\'s internal listener.')
  if (credential === undefined) throw wrongUsage('COUNTERSIGN_OPERATOR_CREDENTIAL (or _FILE) is missing: NAME:SECRET of an internal caller that may do this.')
  const client = createRpcClient({ address: at, headers: { [CREDENTIAL_HEADER]: credential }, credentials: channelTo('exchange', pemFrom(environment)) })
  try {
    return await client.unary(method, request, { deadline: deadlineOf(Number.POSITIVE_INFINITY, CALL_MILLIS), trace: traceOf(new Metadata()) })
  } finally {
    client.close()
  }
}
