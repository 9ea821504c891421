import { Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js'
import { DomainError } from '#libs/domain-error.js'
import { createIds } from '#libs/ids.js'
import { systemClock } from '#libs/clock.js'
import { toStatus } from '#libs/rpc/errors.js'
import { AuthorizationCheckServiceService } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { AuthExchangeServiceService } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { checkAnswers } from './fake-check.js'
import { exchangeAnswers } from './fake-exchange.js'
import { registryAnswers } from './fake-registry.js'
import { type Answering, newWorld, type World } from './fake-world.js'

export type FakeServices = {
  readonly world: World
  /** `host:port` of all three services. */
  readonly address: string
  stop(): void
}

/** The three services on one port, with answers from memory. */
export async function startFakeServices(): Promise<FakeServices> {
  const world = newWorld(createIds(systemClock))
  const answering: Answering = (method, answer) => (call, callback) => {
    const [header] = call.metadata.get('authorization')
    const accessToken = typeof header === 'string' ? header.replace(/^Bearer /, '') : undefined
    world.calls.push(method)
    try {
      const refusal = world.refusals.get(method)
      if (refusal) throw refusal
      callback(null, answer(call.request, accessToken))
    } catch (error) {
      callback(toStatus(error instanceof DomainError ? error : new DomainError('INTERNAL', 'INTERNAL', String(error)), 'request-1'))
    }
  }
  const server = new Server()
  const registry: UntypedServiceImplementation = registryAnswers(world, answering)
  const exchange: UntypedServiceImplementation = exchangeAnswers(world, answering)
  const check: UntypedServiceImplementation = checkAnswers(world, answering)
  server.addService(IdentityRegistryServiceService, registry)
  server.addService(AuthExchangeServiceService, exchange)
  server.addService(AuthorizationCheckServiceService, check)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)))
  })
  return { world, address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() }
}
