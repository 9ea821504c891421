import { readConfig } from '#libs/env.js'
import { createLog } from '#libs/log.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { LoginResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { serviceEnvironments } from '../../deploy/local/services.js'
import { createApp } from '../../services/auth-exchange/app.js'
import { configSchema } from '../../services/auth-exchange/config.js'
import { type Calls, callsTo } from '../support/calls.js'
import type { Credentials, System } from '../support/system.js'

export type AnotherExchange = {
  readonly calls: Calls
  readonly address: string
  readonly internalAddress: string
  login(credentials: Credentials): Promise<LoginResponse>
  close(): Promise<void>
}

/** One more auth-exchange on the system's database, as a second replica, or as the same service with other settings. */
export async function anotherExchange(system: System, environment: Record<string, string> = {}): Promise<AnotherExchange> {
  const { exchange } = serviceEnvironments({ ...system.databases, secrets: system.secrets })
  const peers = { REGISTRY_INTERNAL_ADDRESS: system.addresses.registryInternal, CHECK_ADDRESS: system.addresses.check }
  const ports = { EXCHANGE_PORT: '0', EXCHANGE_INTERNAL_PORT: '0', DRAIN_SECONDS: '0' }
  const config = readConfig(configSchema, { ...exchange, ...peers, ...ports, ...environment })
  const app = createApp(config, { log: createLog({ service: 'another-exchange', level: 'silent' }), clock: system.clock })
  const { port, internalPort } = await app.listen()
  const address = `127.0.0.1:${port}`
  const calls = callsTo(address)
  return {
    calls,
    address,
    internalAddress: `127.0.0.1:${internalPort}`,
    login: ({ clientId, clientSecret }) => calls(Exchange.login, { proof: { $case: 'universalAuth', value: { clientId, clientSecret } } }),
    close: async () => {
      await app.close()
      calls.close()
    },
  }
}
