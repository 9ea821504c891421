import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfig } from '#libs/env.js'
import { Closing } from '#libs/lifecycle.js'
import { createLog } from '#libs/log.js'
import { digestOf } from '#libs/rpc/service-credential.js'
import { transportOf } from '#libs/rpc/transport.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { type Admin, bootstrap, newAdmin } from '../../deploy/local/bootstrap.js'
import { newSecrets } from '../../deploy/local/secrets.js'
import { serviceEnvironments, startServices } from '../../deploy/local/services.js'
import { createApp as createCheck } from '../../services/authorization-check/app.js'
import { configSchema as checkSchema } from '../../services/authorization-check/config.js'
import { type Application, startApplication, valuesOf } from '../support/applications.js'
import { bearer, type Calls, callsTo } from '../support/calls.js'
import { certificateAuthority, type Files, variablesOf } from '../support/certificate-authority.js'
import { type Envoy, startEnvoy } from '../support/envoy-process.js'
import { envoyForTests } from '../support/envoy-program.js'
import { freshDatabase } from '../support/postgres.js'
import { scratchDirectory } from '../support/scratch-directory.js'
import { sendUntilDecided, webClient } from '../support/web-client.js'

// deploy/envoy/over-tcp.yaml: authorization-check where a network reaches it, which wants to know who asks.

const program = await envoyForTests()
const log = createLog({ service: 'test', level: 'silent' })
const NAME = 'authorization-check.countersign.svc'
const SECRET = 'of-a-gateway-that-exists-in-tests-only'

describe.runIf(program)('a gateway that asks over the network', () => {
  const closing = new Closing()
  const [admin, stranger] = [newAdmin(), newAdmin()]
  let checkAddress: string
  let ca: Files
  let application: Application
  let projectId: string
  let token: string
  let tokenOfStranger: string

  beforeAll(async () => {
    const scratch = await scratchDirectory()
    closing.add(() => scratch.remove())
    const database = await freshDatabase()
    closing.add(() => database.drop())
    ca = await (await certificateAuthority(scratch.path)).issue('services', ['IP:127.0.0.1', `DNS:${NAME}`])
    const outside = transportOf(variablesOf(ca), log)
    closing.add(() => outside.close())
    const secrets = newSecrets()
    const ports = { REGISTRY_PORT: '0', EXCHANGE_PORT: '0', CHECK_PORT: '0', DRAIN_SECONDS: '0' }
    const services = await startServices({ ...database, secrets, log: () => log, environment: { ...ports, ...variablesOf(ca) } })
    closing.add(() => services.close())
    const { addresses } = services
    const callsWith = (address: string, headers = {}): Calls => {
      const calls = callsTo(address, headers, outside.client)
      closing.add(() => calls.close())
      return calls
    }
    const login = async ({ clientId, clientSecret }: Admin) => {
      await bootstrap(addresses, { credential: secrets.bootstrapCredential, channel: outside.client }, clientId === admin.clientId ? admin : stranger)
      return (await callsWith(addresses.exchange)(Exchange.login, { proof: { $case: 'universalAuth', value: { clientId, clientSecret } } })).accessToken
    }
    ;[token, tokenOfStranger] = [await login(admin), await login(stranger)]
    projectId = (await callsWith(addresses.registry, bearer(token))(Registry.createProject, { name: 'shop' })).id

    const gateway = { name: 'shop-gateway', digests: [digestOf(SECRET)], methods: ['/envoy.service.auth.v3.Authorization/Check'], organizations: [admin.organizationId], projects: ['*'] }
    const variables = {
      ...serviceEnvironments({ ...database, secrets }).check,
      INTERNAL_CALLERS: JSON.stringify([gateway]),
      REGISTRY_INTERNAL_ADDRESS: addresses.registryInternal,
      EXCHANGE_INTERNAL_ADDRESS: addresses.exchangeInternal,
      HOST: '0.0.0.0',
      CHECK_PORT: '0',
      DRAIN_SECONDS: '0',
    }
    const check = createCheck(readConfig(checkSchema, { ...variables, ...variablesOf(ca) }), { log })
    closing.add(() => check.close())
    checkAddress = `127.0.0.1:${(await check.listen()).port}`
    application = await startApplication()
    closing.add(() => application.close())
  })
  afterAll(() => closing.close())

  async function behind<Answer>(secret: string, caFile: string, ask: (send: (presented: string) => Promise<number>, envoy: Envoy) => Promise<Answer>): Promise<Answer> {
    const instead = {
      [`${NAME}:50053`]: checkAddress,
      'application.shop.svc:3000': application.address,
      '/etc/envoy/tls/countersign-ca.pem': caFile,
      '01900000-0000-7000-8000-00000000c0de': projectId,
    }
    const envoy = await startEnvoy({ program: program ?? '', config: 'over-tcp', instead, environment: { COUNTERSIGN_CREDENTIAL: secret } })
    const client = webClient(envoy.address)
    try {
      const headersOf = (presented: string) => ({ authorization: `Bearer ${presented}`, 'x-countersign-identity': 'spoofed' })
      return await ask(async (presented) => (await sendUntilDecided(client, '/orders/1', { headers: headersOf(presented) })).status, envoy)
    } finally {
      client.close()
      await envoy.stop()
    }
  }

  // Seen to fail with a caller that may ask about every organization.
  it('is answered about the organization that it may ask about, and about no other', async () => {
    await behind(SECRET, ca.caFile, async (send) => {
      expect(await send(token)).toBe(200)
      const [seen] = application.seen.splice(0)
      expect(seen && valuesOf(seen, 'x-countersign-identity')).toEqual([admin.identityId])
      expect(await send(tokenOfStranger)).toBe(401)
      expect(await send('no.token.here')).toBe(401)
    })
    expect(application.seen).toEqual([])
  })

  it('is told nothing with another credential, which is an error and no denial', async () => {
    await behind(`${SECRET}-of-yesterday`, ca.caFile, async (send, envoy) => {
      expect(await send(token)).toBe(500)
      expect(await envoy.stat('http.ingress.ext_authz.error')).toBeGreaterThan(0)
      expect(await envoy.stat('http.ingress.ext_authz.denied')).toBe(0)
    })
    expect(application.seen).toEqual([])
  })

  it('asks nobody whose certificate another CA has signed', async () => {
    const scratch = await scratchDirectory()
    const other = await certificateAuthority(scratch.path, 'other')
    await behind(SECRET, other.caFile, async (send) => expect(await send(token)).toBe(503))
    await scratch.remove()
    expect(application.seen).toEqual([])
  })
})
