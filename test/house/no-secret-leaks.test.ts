import { randomBytes } from 'node:crypto'
import { Writable } from 'node:stream'
import { status } from '@grpc/grpc-js'
import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { z } from 'zod'
import { createLog } from '#libs/log.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { secretIdOf, secretText } from '../../services/auth-exchange/domain/client-secret.js'
import { type Canary, canariesOf, everywhere, foundIn, redisText, secretCanary, textCanary, tokenCanary } from '../support/canaries.js'
import { askAsEnvoy, seenByClient, showing } from '../support/envoy.js'
import { partsOf } from '../support/forged-tokens.js'
import { addressesByService, type CallsByService, callsByService, type Headers, type Outcome, visibleText } from '../support/raw-calls.js'
import { storedText } from '../support/rows.js'
import { until } from '../support/running-processes.js'
import { startSystem, type System } from '../support/system.js'
import { makeTenant, type Tenant } from '../support/tenant.js'
import { senderOf, VALID_REQUESTS } from '../support/valid-requests.js'
import { answerOf, declaredLeaves, encode, isInternal, type Method, methodNamed, METHODS, type WireMessage } from '../support/wire.js'

// No credential, and nothing that one is verified or sealed with, is in any line of the log at its most talkative, in any
// error, in the audit, or in Redis. Seen to fail with the request among what is logged of a call, and without TOLD_BY_POSTGRES.

let system: System
let tenant: Tenant
let wrongSecret: string
let calls: CallsByService
/** What callers saw, errors and all, but for the answers themselves: some of them show a credential, once. */
const seen: string[] = []
/** What answers showed of credentials, once. */
const shownOnce: Canary[] = []

beforeAll(async () => {
  system = await startSystem()
  tenant = await makeTenant(system, 'acme', system.admin)
  wrongSecret = secretText(secretIdOf(tenant.workload.clientSecret) ?? '', randomBytes(32))
  calls = callsByService(addressesByService(system))
})
afterAll(async () => {
  calls.close()
  await system.close()
})

async function send(method: Method, bytes: Uint8Array, headers: Headers = senderOf(system, tenant)(method)): Promise<Outcome> {
  const outcome = await calls.of(method.service).call(method.path, bytes, headers)
  seen.push(visibleText(outcome))
  const { secret, wrappingToken, accessToken } = outcome.answer ? shown.parse(answerOf(method, outcome.answer)) : {}
  if (secret) shownOnce.push(secretCanary('a new client secret', secret))
  if (wrappingToken) shownOnce.push(textCanary('a new wrapping token', wrappingToken))
  if (accessToken !== undefined) shownOnce.push(tokenCanary('a new access token', accessToken))
  return outcome
}

const shown = z.looseObject({ secret: z.string().optional(), wrappingToken: z.string().optional(), accessToken: z.string().optional() })

const sendTo = (name: string, request: WireMessage, headers?: Headers): Promise<Outcome> =>
  send(methodNamed(name), encode(methodNamed(name).desc.input, request), headers)
const login = (clientSecret = tenant.workload.clientSecret): WireMessage =>
  ({ universal_auth: { client_id: tenant.workload.clientId, client_secret: clientSecret } })

const credentials = (): string[] => [tenant.workload.clientSecret, tenant.workload.token, wrongSecret]

/** Everything that is to be looked for, by now. */
async function canaries(): Promise<Canary[]> {
  const tokens = [tenant.admin.token, tenant.workload.token]
  return [
    ...(await canariesOf(system)),
    ...shownOnce,
    ...[system.admin.clientSecret, tenant.workload.clientSecret].map((secret, place) => secretCanary(`client secret ${place}`, secret)),
    secretCanary('a wrong secret', wrongSecret),
    ...tokens.map((token, place) => tokenCanary(`access token ${place}`, token)),
  ]
}

/** Waits until a call of a service stands in a queue of the database, and ends its connection. */
async function endWaitingConnection(client: Client): Promise<void> {
  const waiting = "from pg_stat_activity where datname = current_database() and application_name = 'countersign' and wait_event_type = 'Lock'"
  await until(async () => (await client.query(`select ${waiting}`)).rowCount !== 0)
  await client.query(`select pg_terminate_backend(pid) ${waiting}`)
}

const CARRYING = METHODS.filter(({ desc }) => declaredLeaves(desc.input).some(({ field }) => ['access_token', 'client_secret', 'wrapping_token'].includes(field.name)))

describe('while', () => {
  it('every method is called', async () => {
    for (const method of METHODS) {
      for (const builder of VALID_REQUESTS.get(method.name) ?? []) {
        expect([method.name, (await send(method, encode(method.desc.input, await builder(tenant)))).code]).toEqual([method.name, status.OK])
      }
    }
  })

  it('logins fail', async () => {
    const { clientSecret, clientId } = tenant.workload
    const basic = { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` }
    // The last of them is one too many.
    for (const text of [wrongSecret, `${clientSecret} `, clientSecret.toLowerCase(), clientSecret.slice(0, -1)]) {
      expect((await sendTo('AuthExchangeService.Login', login(text), basic)).code).toBeOneOf([status.UNAUTHENTICATED, status.RESOURCE_EXHAUSTED])
    }
  })

  it('credentials are where they do not belong', async () => {
    for (const method of CARRYING) {
      const [builder] = VALID_REQUESTS.get(method.name) ?? []
      for (const text of credentials()) {
        for (const request of everywhere(method, (await builder?.(tenant)) ?? {}, text)) await send(method, encode(method.desc.input, request))
      }
    }
    for (const text of credentials()) {
      for (const authorization of [text, `Basic ${text}`, `Bearer  ${text}`, `Bearer ${text} ${text}`, `Bearer ${text}x`]) {
        const outcome = await sendTo('IdentityRegistryService.GetOrganization', {}, { authorization, 'x-api-key': text, cookie: `token=${text}` })
        expect(outcome.code).toBe(status.UNAUTHENTICATED)
      }
    }
  })

  // All of it, the answers themselves included: seen to fail with the headers of a request among what is noted of it.
  it('proxies ask about requests with credentials everywhere', async () => {
    const statuses = new Set<number>()
    for (const text of [...credentials(), tenant.admin.token]) {
      for (const asked of showing(text, tenant.organizationId)) {
        const answer = await askAsEnvoy(system.anonymous.check, asked)
        seen.push(JSON.stringify(answer))
        statuses.add(seenByClient(answer).http)
      }
    }
    expect([...statuses].sort()).toEqual([200, 401, 403, 500])
  })

  it('bytes are no messages', async () => {
    for (const method of METHODS) {
      for (const text of credentials()) {
        const outcome = await send(method, Buffer.concat([Buffer.from([0x0a, 0xff, 0x7f]), Buffer.from(text)]))
        expect(outcome.code).toBe(status.INVALID_ARGUMENT)
      }
    }
  })

  it('services show credentials that are not good', async () => {
    for (const method of METHODS.filter(isInternal)) {
      const { bootstrapCredential, registryCredential } = system.secrets
      const named = [`authorization-check:${bootstrapCredential}`, `nobody:${registryCredential}`, `bootstrap: ${bootstrapCredential}`]
      for (const credential of [...named, registryCredential]) {
        expect((await send(method, Buffer.alloc(0), { 'countersign-credential': credential })).code).toBe(status.UNAUTHENTICATED)
      }
    }
  })

  // Each of these waits for its table in the one call, and is not tried again.
  it.each([
    ['Login', 'exchange.client_secret', login],
    ['Login', 'exchange.access_token', login],
    ['CreateClientSecret', 'exchange.audit_event', () => ({ identity_id: tenant.workload.identityId })],
    ['RenewAccessToken', 'exchange.audit_event', async () => ({ access_token: (await tenant.token()).accessToken })],
    ['RevokeAccessToken', 'exchange.audit_event', async () => ({ access_token: (await tenant.token()).accessToken })],
  ])('the connection of %s ends as it waits for %s', async (name, table, request) => {
    const asked = await request()
    await withClient(system.databases.superuserUrl, async (client) => {
      await client.query(`begin; lock table ${table} in access exclusive mode`)
      const call = sendTo(`AuthExchangeService.${name}`, asked)
      const [outcome] = await Promise.all([call, withClient(system.databases.superuserUrl, endWaitingConnection)])
      expect(outcome.code).toBe(status.UNAVAILABLE)
      await client.query('rollback')
    })
  })

  // PostgreSQL tells of a row that it refuses by showing it, with what the secret is verified with.
  it.each([
    ['CreateClientSecret', "description <> 'refused'", () => ({ identity_id: tenant.workload.identityId, description: 'refused' })],
    ['Login', 'last_used_time is null', login],
  ])('the database refuses a row of %s', async (name, rule, request) => {
    await withClient(system.databases.superuserUrl, async (client) => {
      await client.query(`alter table exchange.client_secret add constraint refusing check (${rule}) not valid`)
      expect((await sendTo(`AuthExchangeService.${name}`, request())).code).toBe(status.INTERNAL)
      await client.query('alter table exchange.client_secret drop constraint refusing')
    })
  })
})

describe('nothing is found', () => {
  it('in the log', async () => {
    expect(foundIn(system.logged(), await canaries())).toEqual([])
  })

  it('in what callers saw of refusals', async () => {
    expect(foundIn(seen.join('\n'), await canaries())).toEqual([])
  })

  it('in the audit', async () => {
    const audited = await storedText(system.databases.superuserUrl, (table) => table.endsWith('.audit_event'))
    expect(audited).toContain('"Login"')
    expect(foundIn(audited, await canaries())).toEqual([])
  })

  it('in Redis, where what is known of tokens is kept', async () => {
    const kept = await redisText(inject('redisUrl'))
    expect(kept).toContain(tenant.workload.tokenId)
    expect(foundIn(kept, await canaries())).toEqual([])
  })

  it('of authorization in any line of the log', () => {
    const lines = system.logged().trim().split('\n')
    expect(lines.length).toBeGreaterThan(100)
    for (const line of lines) {
      expect(z.looseObject({ level: z.string() }).parse(JSON.parse(line))).not.toHaveProperty('authorization')
      expect(line).not.toMatch(/bearer |basic |csk_|csw_|eyJhbGciOi/i)
    }
  })
})

describe('the search', () => {
  it('finds what is there, however it is spelled', async () => {
    const all = await canaries()
    for (const { name, spellings } of all) {
      for (const spelling of spellings) expect(foundIn(`line ${spelling} line`, all)).toContain(name)
    }
    const { clientSecret, token } = tenant.workload
    const sent = JSON.stringify({ token, secret: Buffer.from(clientSecret) })
    expect(foundIn(sent, [secretCanary('secret', clientSecret), tokenCanary('token', token)])).toEqual(['secret', 'token'])
    expect(foundIn(JSON.stringify({ id: tenant.workload.secretId, claims: partsOf(token).payload }), all)).toEqual([])
  })
})

describe('a field of the log', () => {
  /** What the log writes of these fields, each time at its most talkative. */
  function logged(...all: object[]): string[] {
    const lines: string[] = []
    const destination = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        lines.push(chunk.toString())
        done()
      },
    })
    const log = createLog({ service: 'test', level: 'trace', destination })
    for (const fields of all) log.trace(fields, 'said')
    return lines
  }

  it.each(['authorization', 'accessToken', 'clientSecret', 'wrappingToken', 'secret', 'token', 'password', 'credential'])('named %s never shows its value', (name) => {
    const lines = logged({ [name]: 'a canary' }, { request: { [name]: 'a canary' } }, { [name]: { text: 'a canary' } })
    expect(lines).toEqual(Array.from({ length: 3 }, () => expect.stringMatching(/^(?!.*canary).*\[secret\]/)))
  })

  it.each(['detail', 'where'])('never shows the %s of a database error', (name) => {
    const lines = logged({ err: Object.assign(new Error('refused'), { [name]: 'a canary' }) })
    expect(lines).toEqual([expect.stringMatching(/^(?!.*canary).*\[secret\]/)])
  })
})
