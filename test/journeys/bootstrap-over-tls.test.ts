import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLog } from '#libs/log.js'
import { newSecrets } from '../../deploy/local/secrets.js'
import { type Services, startServices } from '../../deploy/local/services.js'
import { runCli } from '../cli/run-cli.js'
import { certificateAuthority, variablesOf } from '../support/certificate-authority.js'
import { type FreshDatabase, freshDatabase } from '../support/postgres.js'
import { rowCounts } from '../support/rows.js'
import { type ScratchDirectory, scratchDirectory } from '../support/scratch-directory.js'

// The first organization and its admin in a cluster: internal listeners over mTLS, as a Job or a port-forward reaches them.

const secrets = newSecrets()
let databases: FreshDatabase
let services: Services
let scratch: ScratchDirectory
let environment: Record<string, string>

// As a port-forward has it: certificates name the services, and none of them localhost.
const forwarded = (address: string) => address.replace('127.0.0.1', 'localhost')

beforeAll(async () => {
  scratch = await scratchDirectory()
  databases = await freshDatabase()
  const authority = await certificateAuthority(scratch.path)
  const files = await authority.issue('services', ['IP:127.0.0.1', 'DNS:identity-registry', 'DNS:auth-exchange', 'DNS:authorization-check'])
  const log = createLog({ service: 'test', level: 'silent' })
  services = await startServices({ ...databases, secrets, log: () => log, environment: { REGISTRY_PORT: '0', EXCHANGE_PORT: '0', CHECK_PORT: '0', ...variablesOf(files) } })
  const own = await authority.issue('operator', ['DNS:bootstrap'])
  const { registry, exchange, check, registryInternal, exchangeInternal } = services.addresses
  environment = {
    COUNTERSIGN_REGISTRY: forwarded(registry),
    COUNTERSIGN_EXCHANGE: forwarded(exchange),
    COUNTERSIGN_CHECK: forwarded(check),
    COUNTERSIGN_REGISTRY_INTERNAL: forwarded(registryInternal),
    COUNTERSIGN_EXCHANGE_INTERNAL: forwarded(exchangeInternal),
    COUNTERSIGN_BOOTSTRAP_CREDENTIAL: secrets.bootstrapCredential,
    COUNTERSIGN_CA_FILE: authority.caFile,
    COUNTERSIGN_CERTIFICATE_FILE: own.certificateFile,
    COUNTERSIGN_KEY_FILE: own.keyFile,
  }
})
afterAll(async () => {
  await services.close()
  await databases.drop()
  await scratch.remove()
})

const run = (line: string, changed: Record<string, string> = {}) => runCli(line.split(' '), { folder: scratch.path, environment: { ...environment, ...changed } })

describe('bootstrap', () => {
  it('makes the first organization and its admin, who can act; repeated, it makes nothing more', { timeout: 60_000 }, async () => {
    const made = await run('bootstrap --credentials-file admin.json --organization-name acme')
    expect(made, made.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('next: npx countersign whoami --credentials-file admin.json') })
    const file = join(scratch.path, 'admin.json')
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600')
    const kept = readFileSync(file, 'utf8')
    expect(made.stdout).not.toContain('csk_')

    expect(await run('--credentials-file admin.json identity create billing --role viewer')).toMatchObject({ code: 0 })
    const counts = await rowCounts(databases.superuserUrl)
    expect(await run('bootstrap --credentials-file admin.json')).toMatchObject({ code: 0, stderr: expect.stringContaining('going on with the admin in it') })
    expect([await rowCounts(databases.superuserUrl), readFileSync(file, 'utf8')]).toEqual([counts, kept])
    expect(await run('whoami --credentials-file admin.json')).toMatchObject({ code: 0, stdout: expect.stringContaining('acme (') })
  })

  it('is for whoever has the credential and a certificate, and keeps its file for the next attempt', { timeout: 60_000 }, async () => {
    expect(await run('bootstrap --credentials-file wrong.json', { COUNTERSIGN_BOOTSTRAP_CREDENTIAL: 'x'.repeat(32) })).toMatchObject({ code: 3, stderr: expect.stringContaining('SERVICE_MISCONFIGURED') })
    expect(await run('bootstrap --credentials-file wrong.json', { COUNTERSIGN_CERTIFICATE_FILE: '', COUNTERSIGN_KEY_FILE: '' })).toMatchObject({ code: 3 })
    expect(await run('bootstrap --credentials-file wrong.json')).toMatchObject({ code: 0, stderr: expect.stringContaining('going on') })
    expect(await run('bootstrap --credentials-file other.json', { COUNTERSIGN_REGISTRY_INTERNAL: '' })).toMatchObject({ code: 2, stderr: expect.stringContaining('COUNTERSIGN_REGISTRY_INTERNAL') })
  })
})
