import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { MINUTE } from '../support/manual-clock.js'
import { type ScratchDirectory, scratchDirectory } from '../support/scratch-directory.js'
import { startSystem, type System } from '../support/system.js'
import { runCli } from './run-cli.js'

// Nobody is admin any more. Whoever owns the database makes an admin for one hour, and everything shows it.

let system: System
let scratch: ScratchDirectory
beforeAll(async () => {
  system = await startSystem()
  scratch = await scratchDirectory()
})
afterAll(async () => {
  await system.close()
  await scratch.remove()
})

const recover = (args: readonly string[], environment: Record<string, string> = {}) =>
  runCli(['recover-admin', ...args], { folder: scratch.path, environment: { MIGRATE_DATABASE_URL: system.databases.superuserUrl, ...environment } })
const select = async <Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> =>
  withClient(system.databases.superuserUrl, async (client) => (await client.query<Row>(text, [...values])).rows)
const credentials = z.object({ organizationId: z.string(), identityId: z.string(), clientId: z.string(), clientSecretId: z.string(), clientSecret: z.string() })
const written = (file: string) => credentials.parse(JSON.parse(readFileSync(file, 'utf8')))

describe('recover-admin', () => {
  it('makes an admin for an hour where none is left, through the feed, audited, and shows the secret to its file alone', async () => {
    const before = await system.session(system.admin)
    await system.everywhere(before.registry(Registry.deleteIdentity, { id: system.admin.identityId, etag: '' }))
    await expect(system.login(system.admin)).rejects.toMatchObject({ reason: 'CREDENTIALS_REJECTED' })

    const file = join(scratch.path, 'recovery.json')
    const { code, stdout, stderr } = await recover(['--reason', 'INC-42', '--credentials-file', file], { PEPPERS: `local:${system.secrets.pepper}` })
    expect([code, stderr]).toEqual([0, ''])
    const made = written(file)
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600')
    expect(stdout).not.toContain(made.clientSecret)
    expect(stdout).toContain(`next: npx countersign --credentials-file ${file} identity create NAME --role admin --universal-auth`)

    const admin = await system.session(made)
    await admin.registry(Registry.createIdentity, { name: 'lasting', role: 'admin' })
    expect(await system.check(admin.token, 'delete', 'identity')).toMatchObject({ allowed: true, identityName: expect.stringMatching(/^recovery-\d{8}T\d{6}Z$/) })

    const changes = await select<{ entities: string[] }>('select entities from registry.feed_change union all select entities from exchange.feed_change')
    expect(changes.flatMap(({ entities }) => entities)).toEqual(expect.arrayContaining([`identity/${made.identityId}`, `auth-method/${made.identityId}`, `client-secret/${made.clientSecretId}`]))
    const events = await select("select action, actor_identity_id, target_type, target_id, details, request_id from registry.audit_event where action = 'RecoverAdmin' union all select action, actor_identity_id, target_type, target_id, details, request_id from exchange.audit_event where action = 'RecoverAdmin'")
    const said = { action: 'RecoverAdmin', actor_identity_id: null, details: expect.objectContaining({ by: 'recover-admin', reason: 'INC-42' }) }
    expect(events).toMatchObject([{ ...said, target_type: 'identity', target_id: made.identityId }, { ...said, target_type: 'client-secret', target_id: made.clientSecretId }])
    expect(new Set(events.map((event) => JSON.stringify(Object.entries(event).at(-1)))).size).toBe(1)
  })

  // Seen to fail with a binding without its end, and with a secret without one.
  it('makes one that is nobody after the hour: no login, and nothing that a token of the last minute may do', async () => {
    const made = written(join(scratch.path, 'recovery.json'))
    system.clock.advance(58 * MINUTE)
    const late = await system.session(made)
    expect(await system.check(late.token, 'delete', 'identity')).toMatchObject({ allowed: true })
    system.clock.advance(4 * MINUTE)
    expect(await system.check(late.token, 'delete', 'identity')).toMatchObject({ allowed: false })
    await expect(late.registry(Registry.createIdentity, { name: 'too-late', role: '' })).rejects.toMatchObject({ kind: 'PERMISSION_DENIED' })
    await expect(system.login(made)).rejects.toMatchObject({ reason: 'CREDENTIALS_REJECTED' })
    // What the database's clock says is an hour from now, and not from whenever the services began.
    const [row] = await select<{ minutes: number }>("select extract(epoch from r.end_time - b.create_time)::int / 60 as minutes from registry.binding b join registry.bound_role r on r.binding_id = b.id where b.identity_id = $1", [made.identityId])
    expect(row).toEqual({ minutes: 60 })
  })

  it('needs no pepper: the first login goes by argon2id, and the digest is made under the pepper that is in use', async () => {
    const { code, stdout } = await recover(['--json'])
    expect(code).toBe(0)
    const made = credentials.parse(JSON.parse(stdout))
    const pepperOf = () => select('select pepper_id from exchange.client_secret where id = $1', [made.clientSecretId])
    expect(await pepperOf()).toEqual([{ pepper_id: '(none)' }])
    system.clock.advance(-62 * MINUTE)
    await system.login(made)
    expect(await pepperOf()).toEqual([{ pepper_id: 'local' }])
  })

  it('names all organizations where one has to be chosen, and takes an id', async () => {
    const other = await system.newOrganization()
    const asked = await recover([])
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('There are several organizations') })
    for (const id of [system.admin.organizationId, other.organizationId]) expect(asked.stderr).toContain(`default (${id})`)
    expect((await recover(['--organization', 'default'])).code).toBe(2)
    const { stdout } = await recover(['--organization', other.organizationId, '--json'])
    expect(credentials.parse(JSON.parse(stdout)).organizationId).toBe(other.organizationId)
  })

  it('makes nothing where it can not be done: no such organization, no place for the secret, no database', async () => {
    const count = () => select("select count(*) from registry.identity where name like 'recovery-%'")
    const before = await count()
    expect(await recover(['--organization', 'nobody'])).toMatchObject({ code: 1, stderr: expect.stringContaining('ORGANIZATION_NOT_FOUND') })
    const taken = join(scratch.path, 'taken.json')
    writeFileSync(taken, '')
    expect(await recover(['--organization', system.admin.organizationId, '--credentials-file', taken])).toMatchObject({ code: 2, stderr: expect.stringContaining('exists already') })
    expect(await count()).toEqual(before)
    expect(await recover([], { MIGRATE_DATABASE_URL: 'postgres://a:b@127.0.0.1:1/c' })).toMatchObject({ code: 3, stderr: expect.stringContaining('DATABASE_UNAVAILABLE') })
    expect(await recover([], { MIGRATE_DATABASE_URL: 'nonsense' })).toMatchObject({ code: 2, stderr: expect.stringContaining('MIGRATE_DATABASE_URL: must be postgres://') })
  })
})
