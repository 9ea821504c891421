import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfig } from '#libs/env.js'
import { Closing } from '#libs/lifecycle.js'
import { createLog } from '#libs/log.js'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { serviceEnvironments } from '../../deploy/local/services.js'
import { createApp } from '../../services/authorization-check/app.js'
import { configSchema } from '../../services/authorization-check/config.js'
import { allow, deny, type Limited, makeLimited } from '../support/builders.js'
import { asService, bearer, callsTo } from '../support/calls.js'
import { scratchDirectory } from '../support/scratch-directory.js'
import { type Session, startSystem, type System } from '../support/system.js'

let system: System
let admin: Session
let limited: Limited
/** Where others can reach it, and where only this machine can. */
let network: string
let socket: string
const closing = new Closing()

beforeAll(async () => {
  system = await startSystem()
  closing.add(() => system.close())
  admin = await system.session(system.admin)
  limited = await makeLimited(system, admin, 'asker')
  const scratch = await scratchDirectory()
  closing.add(() => scratch.remove())
  const path = join(scratch.path, 'check.sock')
  network = `127.0.0.1:${await start({ HOST: '0.0.0.0', CHECK_PORT: '0' })}`
  await start({ CHECK_SOCKET: path })
  socket = `unix:${path}`
})
afterAll(() => closing.close())

/** One more authorization-check beside the system's own, which listens on loopback. */
async function start(listen: Record<string, string>): Promise<number> {
  const { check } = serviceEnvironments({ ...system.databases, secrets: system.secrets })
  const peers = { REGISTRY_INTERNAL_ADDRESS: system.addresses.registryInternal, EXCHANGE_INTERNAL_ADDRESS: system.addresses.exchangeInternal }
  const config = readConfig(configSchema, { ...check, ...peers, DRAIN_SECONDS: '0', ...listen })
  const app = createApp(config, { log: createLog({ service: 'test', level: 'silent' }) })
  closing.add(() => app.close())
  return (await app.listen()).port
}

/** Has the token checked by who shows these headers. */
async function check(address: string, headers: Record<string, string>, accessToken = admin.token) {
  const calls = callsTo(address, headers)
  try {
    return await calls(Check.check, { accessToken, projectId: '', action: 'read', resource: { type: 'secrets', attributes: {} }, consistency: undefined, context: {}, sourceAddress: '' })
  } finally {
    calls.close()
  }
}

const answered = { allowed: true, reason: 1 }
const asLimited = () => bearer(limited.session.token)
const asRegistry = (secret = system.secrets.registryCredential) => asService('identity-registry', secret)
const tokenOfAnother = async () => (await system.login(await system.newOrganization())).accessToken

const callerRejected = { kind: 'UNAUTHENTICATED', reason: 'CALLER_TOKEN_REJECTED' }
const serviceRejected = { kind: 'UNAUTHENTICATED', reason: 'SERVICE_CREDENTIAL_REJECTED' }
const tokenRejected = { kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REJECTED' }

describe('on this machine', () => {
  it('anybody may have a token of any organization checked, over loopback and a Unix socket', async () => {
    for (const address of [system.addresses.check, socket]) {
      expect(await check(address, {})).toMatchObject({ ...answered, identityId: system.admin.identityId })
      expect(await check(address, {}, await tokenOfAnother())).toMatchObject(answered)
    }
  })

  it('whoever shows a service credential is held to it', async () => {
    expect(await check(system.addresses.check, asRegistry())).toMatchObject(answered)
    await expect(check(system.addresses.check, asRegistry('x'.repeat(32)))).rejects.toMatchObject(serviceRejected)
  })
})

// Whatever is refused here because of the caller's token was seen to be answered with every listener taken for a local one.
describe('on a network', () => {
  it('whoever may check on authorization may have the tokens of its organization checked', async () => {
    await system.everywhere(limited.may(allow(['check'], ['authorization'])))
    expect(await check(network, asLimited())).toMatchObject({ ...answered, identityId: system.admin.identityId })
    await expect(check(network, asLimited(), 'not.a.token')).rejects.toMatchObject(tokenRejected)
  })

  it('the tokens of other organizations are unknown to it', async () => {
    await system.everywhere(limited.may(allow(['*'], ['*'])))
    await expect(check(network, asLimited(), await tokenOfAnother())).rejects.toMatchObject(tokenRejected)
  })

  it('a service may have the tokens of every organization checked that its credential names', async () => {
    expect(await check(network, asRegistry(), await tokenOfAnother())).toMatchObject(answered)
    await expect(check(network, asRegistry('x'.repeat(32)))).rejects.toMatchObject(serviceRejected)
  })

  it('nobody else may, however good the checked token is', async () => {
    for (const headers of [{}, bearer('not.a.token'), { authorization: admin.token }]) {
      await expect(check(network, headers)).rejects.toMatchObject(callerRejected)
    }
    for (const rules of [[], [allow(['*'], ['*']), deny(['check'], ['authorization'])], [allow(['read'], ['authorization'])]]) {
      await system.everywhere(limited.may(...rules))
      await expect(check(network, asLimited())).rejects.toMatchObject({ kind: 'PERMISSION_DENIED', reason: 'CHECK_NOT_ALLOWED' })
    }
  })

  it('a caller whose own token is revoked, or whose identity is disabled, is told that it is about itself', async () => {
    await system.everywhere(limited.may(allow(['check'], ['authorization'])))
    const { accessToken, tokenId } = await system.login(limited)
    await system.everywhere(admin.exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value: tokenId } }))
    await expect(check(network, bearer(accessToken))).rejects.toMatchObject(callerRejected)
    await system.everywhere(admin.registry(Registry.disableIdentity, { id: limited.identityId }))
    await expect(check(network, asLimited())).rejects.toMatchObject(callerRejected)
    await system.everywhere(admin.registry(Registry.enableIdentity, { id: limited.identityId }))
    expect(await check(network, asLimited())).toMatchObject(answered)
  })
})
