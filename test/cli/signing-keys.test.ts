import { decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ScratchDirectory, scratchDirectory } from '../support/scratch-directory.js'
import { startSystem, type System } from '../support/system.js'
import { runCli } from './run-cli.js'

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

const run = (args: readonly string[], environment: Record<string, string> = {}) => {
  const known = { COUNTERSIGN_EXCHANGE_INTERNAL: system.addresses.exchangeInternal, COUNTERSIGN_OPERATOR_CREDENTIAL: `bootstrap:${system.secrets.bootstrapCredential}` }
  return runCli(['signing-key', ...args], { folder: scratch.path, environment: { ...known, ...environment } })
}
const listed = async () => JSON.parse((await run(['list', '--json'])).stdout)
const kidOfNewToken = async () => decodeProtectedHeader((await system.login(system.admin)).accessToken).kid

describe('signing-key', () => {
  it('shows what there is, prepares another, has it sign at once, and takes the one before away', async () => {
    const first = await kidOfNewToken()
    expect(await listed()).toMatchObject([{ kid: first, state: 'active', keyEncryptionKeyId: expect.stringMatching(/^[0-9a-f]{16}$/) }])

    const prepared = await run(['rotate'])
    expect([prepared.code, prepared.stderr]).toEqual([0, ''])
    expect(prepared.stdout).toMatch(/^KEY +STATE +SIGNS FROM +SIGNED UNTIL +GONE +ENCRYPTED UNDER\n\S{43} {2}prepared /)
    expect(prepared.stdout).toContain('next: npx countersign signing-key list')
    expect(await kidOfNewToken()).toBe(first)

    const { stdout: rotated } = await run(['rotate', '--at-once', '-q'])
    expect(await kidOfNewToken()).toBe(rotated.trim())
    expect(await listed()).toMatchObject([{ kid: first, state: 'retired', keyEncryptionKeyId: '' }, { kid: rotated.trim(), state: 'active' }])

    expect(await run(['revoke', first ?? ''])).toMatchObject({ code: 0, stdout: `The key ${first} is gone: no token that it signed is good any more.\n` })
    expect(await listed()).toMatchObject([{ kid: rotated.trim() }])
  })

  it('says why it does nothing', async () => {
    const signing = await kidOfNewToken()
    expect(await run(['revoke', signing ?? ''])).toMatchObject({ code: 1, stderr: expect.stringContaining('rotate at once, then revoke it. (SIGNING_KEY_ACTIVE)') })
    expect(await run(['list'], { COUNTERSIGN_OPERATOR_CREDENTIAL: `authorization-check:${system.secrets.checkCredential}` })).toMatchObject({ code: 1, stderr: expect.stringContaining('SERVICE_NOT_ALLOWED') })
    expect(await run(['list'], { COUNTERSIGN_OPERATOR_CREDENTIAL: 'short' })).toMatchObject({ code: 2, stderr: expect.stringContaining('COUNTERSIGN_OPERATOR_CREDENTIAL: must be NAME:SECRET') })
    expect(await runCli(['signing-key', 'list'], { folder: scratch.path })).toMatchObject({ code: 2, stderr: expect.stringContaining('COUNTERSIGN_EXCHANGE_INTERNAL is missing') })
    expect(await run(['list'], { COUNTERSIGN_EXCHANGE_INTERNAL: '127.0.0.1:1' })).toMatchObject({ code: 3 })
  })
})
