import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createLog } from '#libs/log.js'
import { newSecrets } from '../../deploy/local/secrets.js'
import { serviceEnvironments } from '../../deploy/local/services.js'
import { stablePort } from '../support/stable-port.js'
import { readConfig } from '#libs/env.js'
import { type App, Closing } from '#libs/lifecycle.js'
import { createApp as createExchange } from '../../services/auth-exchange/app.js'
import { configSchema as exchangeSchema } from '../../services/auth-exchange/config.js'
import { createApp as createCheck } from '../../services/authorization-check/app.js'
import { configSchema as checkSchema } from '../../services/authorization-check/config.js'
import { createApp as createRegistry } from '../../services/identity-registry/app.js'
import { configSchema as registrySchema } from '../../services/identity-registry/config.js'
import { callsTo } from '../support/calls.js'
import { certificateAuthority, variablesOf } from '../support/certificate-authority.js'
import { freshDatabase } from '../support/postgres.js'
import { scratchDirectory } from '../support/scratch-directory.js'
import { transportOf } from '#libs/rpc/transport.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'

// What the three services serve at /metrics, each in an app of its own, is what docs/metrics.md says: names, types, labels.

const page = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8')

type Row = { readonly name: string; readonly type: string; readonly labels: string[]; readonly services: string[] }

const rows: Row[] = page.split('\n').filter((line) => line.startsWith('| `')).map((line) => {
  const [, name = '', type = '', labels = '', services = ''] = line.split('|').map((cell) => cell.trim())
  const all = services.startsWith('all') ? ['registry', 'exchange', 'check'] : services.split(', ')
  return { name: name.replaceAll('`', ''), type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label), services: all }
})

const closing = new Closing()
const texts = new Map<string, string>()

beforeAll(async () => {
  const log = createLog({ service: 'test', level: 'silent' })
  const scratch = await scratchDirectory()
  closing.add(() => scratch.remove())
  const databases = await freshDatabase()
  closing.add(() => databases.drop())
  const authority = await certificateAuthority(scratch.path)
  const tls = variablesOf(await authority.issue('services', ['IP:127.0.0.1']))
  const own = serviceEnvironments({ ...databases, redisUrl: inject('redisUrl'), secrets: newSecrets() })
  const open = async <Addresses extends { readonly port: number }>(app: App<Addresses>): Promise<Addresses> => {
    closing.add(() => app.close())
    return app.listen()
  }
  const ports = async () => ({ ...tls, METRICS_PORT: String(await stablePort()), REGISTRY_PORT: '0', REGISTRY_INTERNAL_PORT: '0', EXCHANGE_PORT: '0', EXCHANGE_INTERNAL_PORT: '0', CHECK_PORT: '0', DRAIN_SECONDS: '0', CHECK_ADDRESS: '127.0.0.1:1' })
  const given = { registry: await ports(), exchange: await ports(), check: await ports() }
  const registry = await open(createRegistry(readConfig(registrySchema, { ...given.registry, ...own.registry }), { log }))
  const peers = { REGISTRY_INTERNAL_ADDRESS: `127.0.0.1:${registry.internalPort}` }
  const exchange = await open(createExchange(readConfig(exchangeSchema, { ...given.exchange, ...own.exchange, ...peers }), { log }))
  const check = await open(createCheck(readConfig(checkSchema, { ...given.check, ...own.check, ...peers, EXCHANGE_INTERNAL_ADDRESS: `127.0.0.1:${exchange.internalPort}` }), { log }))
  const transport = transportOf(tls, log)
  closing.add(() => transport.close())
  // So that each has answered something.
  const ask = async (port: number, work: (calls: ReturnType<typeof callsTo>) => Promise<unknown>) => {
    const calls = callsTo(`127.0.0.1:${port}`, {}, transport.client)
    await work(calls).catch(() => undefined)
    calls.close()
  }
  await ask(registry.port, (calls) => calls(Registry.getOrganization, {}))
  await ask(exchange.port, (calls) => calls(Exchange.getJsonWebKeySet, {}))
  await ask(check.port, (calls) => calls(Check.check, { accessToken: 'x', projectId: '', action: 'read', resource: { type: 'secrets', attributes: {} }, consistency: undefined, context: {}, sourceAddress: '' }))
  for (const [name, { METRICS_PORT }] of Object.entries(given)) texts.set(name, await (await fetch(`http://127.0.0.1:${METRICS_PORT}/metrics`)).text())
})
afterAll(() => closing.close())

const served = (service: string): Map<string, string> =>
  new Map([...(texts.get(service) ?? '').matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]))

const labelsOf = (service: string, name: string): Set<string> =>
  new Set([...(texts.get(service) ?? '').matchAll(new RegExp(`^${name}(?:_count|_total)?\\{([^}]*)\\}`, 'gm'))].flatMap(([, labels = '']) => [...labels.matchAll(/(\w+)="/g)].map(([, label = '']) => label)))

describe.each(['registry', 'exchange', 'check'])('%s', (service) => {
  const expected = rows.filter(({ services }) => services.includes(service))

  it('serves what the page says, as the types that it says', () => {
    const types = served(service)
    // Nothing has been decided here, and a counter without a label has no line before its first.
    expect(expected.map(({ name }) => [name, types.get(name)])).toEqual(expected.map(({ name, type }) => [name, type]))
  })

  it('serves nothing else, beside what every process has', () => {
    const others = [...served(service).keys()].filter((name) => !/^(?:process|nodejs)_/.test(name) && !rows.some((row) => row.name === name))
    expect(others).toEqual([])
  })

  it('puts no label on it but those that the page names', () => {
    for (const { name, labels } of expected) expect([name, [...labelsOf(service, name)].filter((label) => label !== 'le' && !labels.includes(label))]).toEqual([name, []])
  })

  it('has an event loop, memory and descriptors that can be watched', () => {
    expect([...served(service).keys()]).toEqual(expect.arrayContaining(['nodejs_eventloop_lag_p99_seconds', 'process_resident_memory_bytes', 'process_open_fds', 'process_cpu_seconds_total']))
  })
})
