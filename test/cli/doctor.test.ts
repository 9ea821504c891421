import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfig } from '#libs/env.js'
import { createLog } from '#libs/log.js'
import { newAdmin } from '../../deploy/local/bootstrap.js'
import { serviceEnvironments, startServices } from '../../deploy/local/services.js'
import { createApp as createCheck } from '../../services/authorization-check/app.js'
import { configSchema as checkSchema } from '../../services/authorization-check/config.js'
import { certificateAuthority, variablesOf } from '../support/certificate-authority.js'
import { freshDatabase } from '../support/postgres.js'
import { scratchDirectory } from '../support/scratch-directory.js'
import { stablePort } from '../support/stable-port.js'
import { type Patient, startPatient } from './patient.js'

// What `doctor` says of a system that is well, and of services that are not: its line, and what to do.

let patient: Patient
beforeAll(async () => {
  patient = await startPatient()
}, 120_000)
afterAll(() => patient.close())

describe('a system that is well', () => {
  it('is found by its folder, and nothing is wrong with it', async () => {
    const { code, outcome } = await patient.findings()
    expect(outcome('failure')).toEqual([])
    // There is one machine, and nobody has named metrics.
    expect([outcome('warning'), outcome('not_looked_at')]).toEqual([['synchronous standby'], ['version, lease']])
    expect(outcome('ok')).toEqual([
      ...['identity-registry', 'auth-exchange', 'authorization-check'].flatMap((name) => [name, `${name} transport`]),
      ...['PostgreSQL', 'primary', 'fsync', 'full_page_writes', 'synchronous_commit', 'clock, database', 'migrations'],
      ...['signing keys', 'peppers', 'credentials', 'feeds', 'Redis', 'Redis memory', 'Redis role', 'Redis persistence', 'clock, Redis', 'MAC keys'],
    ])
    expect(code).toBe(0)
  })

  it('is shown to people line by line, without a secret; a warning fails only where it is to', async () => {
    const { code, stdout, stderr } = await patient.run(['doctor'])
    expect(code).toBe(0)
    const kept = [patient.admin.clientSecret, ...[patient.postgres.superuserUrl, patient.redis.url].map((url) => decodeURIComponent(new URL(url).password))]
    expect(kept.filter((secret) => (stdout + stderr).includes(secret))).toEqual([])
    expect(stdout).toMatch(/^ok {7}authorization-check {13}127\.0\.0\.1:\d+ answers and is ready$/m)
    expect(stdout).toMatch(/^WARNING {2}synchronous standby .*\n +→ for more than one machine name one in synchronous_standby_names/m)
    expect(stdout).toMatch(/\n23 ok, 1 warnings, 0 failures, 1 not looked at\n$/)
    expect(await patient.run(['doctor', '--strict', '-q'])).toMatchObject({ code: 1, stdout: 'synchronous standby\nversion, lease\n' })
  })

  it('that nothing is known of is no failure: what would let it be seen is said', async () => {
    const elsewhere = await scratchDirectory()
    const { stdout } = await patient.run(['doctor'], elsewhere.path)
    for (const variable of ['COUNTERSIGN_REGISTRY', 'COUNTERSIGN_EXCHANGE', 'COUNTERSIGN_CHECK', 'MIGRATE_DATABASE_URL', 'COUNTERSIGN_METRICS', 'REDIS_URL']) expect(stdout).toContain(variable)
    expect(stdout).toContain('\n0 ok, 0 warnings, 0 failures, 9 not looked at\n')
    await elsewhere.remove()
  })

  it('runs another version than the command line is', async () => {
    const server = createServer((_request, response) => response.end('countersign_build_info{version="0.0.9"} 1\n'))
    const port = await stablePort()
    await once(server.listen(port, '127.0.0.1'), 'listening')
    const { all } = await patient.findings({ COUNTERSIGN_METRICS: `127.0.0.1:${port}` })
    server.close()
    expect(all.filter(({ check }) => check === 'version')).toMatchObject([{ outcome: 'warning', seen: expect.stringMatching(/runs 0\.0\.9, this command line is \d/), advice: expect.stringContaining('rollout') }])
  })

  it('has the version and the leases that its metrics show', async () => {
    const port = await stablePort()
    const own = serviceEnvironments({ ...patient.postgres, secrets: patient.secrets })
    const peers = { REGISTRY_INTERNAL_ADDRESS: patient.processes.addresses.registryInternal, EXCHANGE_INTERNAL_ADDRESS: patient.processes.addresses.exchangeInternal }
    const app = createCheck(readConfig(checkSchema, { ...own.check, ...peers, CHECK_PORT: '0', METRICS_PORT: String(port) }), { log: createLog({ service: 'test', level: 'silent' }) })
    const listening = await app.listen()
    const environment = { COUNTERSIGN_METRICS: `127.0.0.1:${port},127.0.0.1:1`, COUNTERSIGN_CHECK: `127.0.0.1:${listening.port}` }
    const { all, code } = await patient.findings(environment)
    await app.close()
    expect(all.filter(({ check }) => check === 'version')).toMatchObject([{ outcome: 'ok' }])
    expect(all.filter(({ check }) => check === 'lease')).toMatchObject([
      { outcome: 'ok', seen: expect.stringMatching(/registry: 0\.\d{3} s old, of 0\.25 s/) },
      { outcome: 'ok', seen: expect.stringContaining('exchange: 0.') },
      { outcome: 'failure', seen: expect.stringContaining('no metrics from 127.0.0.1:1'), advice: expect.stringContaining('METRICS_PORT') },
    ])
    expect(code).toBe(1)
  })
})

describe('services', () => {
  it('that do not accept the credentials', async () => {
    const file = patient.write('wrong.json', { clientId: newAdmin().clientId, clientSecret: patient.admin.clientSecret })
    const { of, code } = await patient.findings({}, file)
    expect([of('credentials'), code]).toMatchObject([{ outcome: 'failure', seen: expect.stringContaining('rejected'), advice: expect.stringContaining('recover-admin') }, 1])
  })

  it('of which one is down', async () => {
    await patient.processes.check.stop()
    const { of, code } = await patient.findings()
    await patient.processes.check.restart()
    expect(of('authorization-check')).toMatchObject({ outcome: 'failure', seen: expect.stringContaining('nobody listens'), advice: expect.stringContaining('npm start') })
    expect(of('feeds')).toMatchObject({ outcome: 'not_looked_at' })
    expect(code).toBe(1)
  })

  it('whose check has lost its owner', async () => {
    await patient.processes.exchange.stop()
    const { of } = await patient.findings()
    expect(of('auth-exchange')).toMatchObject({ outcome: 'failure' })
    await patient.processes.exchange.restart()
    expect((await patient.findings()).code).toBe(0)
  })
})

describe('over TLS', () => {
  it('says who is who, and what is missing to know it', async () => {
    const databases = await freshDatabase()
    const authority = await certificateAuthority(patient.folder)
    // As a port-forward has it: certificates name the services, and none of them localhost.
    const forwarded = (address: string) => address.replace('127.0.0.1', 'localhost')
    const files = await authority.issue('services', ['DNS:identity-registry', 'DNS:auth-exchange', 'DNS:authorization-check', 'IP:127.0.0.1'])
    const log = createLog({ service: 'test', level: 'silent' })
    const ports = { REGISTRY_PORT: '0', EXCHANGE_PORT: '0', CHECK_PORT: '0' }
    const services = await startServices({ ...databases, secrets: patient.secrets, log: () => log, environment: { ...ports, ...variablesOf(files) } })
    const { registry, exchange, check } = services.addresses
    const addresses = { COUNTERSIGN_REGISTRY: forwarded(registry), COUNTERSIGN_EXCHANGE: forwarded(exchange), COUNTERSIGN_CHECK: forwarded(check) }
    const known = await patient.findings({ ...addresses, COUNTERSIGN_CA_FILE: authority.caFile })
    const unknown = await patient.findings(addresses)
    const other = await patient.findings({ ...addresses, COUNTERSIGN_CA_FILE: (await certificateAuthority(patient.folder, 'other')).caFile })
    await services.close()
    await databases.drop()
    for (const name of ['identity-registry', 'auth-exchange', 'authorization-check']) {
      expect(known.of(name)).toMatchObject({ outcome: 'ok' })
      // It is issued for a day.
      expect(known.of(`${name} transport`)).toMatchObject({ outcome: 'warning', seen: expect.stringMatching(/^TLSv1\.3, with a certificate that expires in [01] days$/), advice: expect.stringContaining('renew it') })
      expect(unknown.of(name)).toMatchObject({ outcome: 'failure', seen: expect.stringContaining('speaks TLS'), advice: expect.stringContaining('COUNTERSIGN_CA_FILE') })
      expect(other.of(name)).toMatchObject({ outcome: 'failure', seen: expect.stringContaining('no TLS with'), advice: expect.stringContaining('COUNTERSIGN_CA_FILE') })
    }
  })
})
