import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DomainError } from '#libs/domain-error.js'
import { addIdentity } from './fake-world.js'
import { newOperator, type Operator } from './operator.js'

let operator: Operator
beforeEach(async () => {
  operator = await newOperator()
  operator.write('web.json', JSON.stringify(addIdentity(world(), 'web')))
})
afterEach(() => operator.leave())

const world = () => operator.services.world
const login = async () => (await operator.run('login --print-token --credentials-file web.json')).stdout.trim()
const texts = () => [...world().tokens.keys()]

describe('token renew', () => {
  it('renews the kept token and keeps the new one, and shows neither', async () => {
    const token = await login()
    const { code, stdout } = await operator.run('token renew --credentials-file web.json')
    const [first, renewed = ''] = texts()
    expect([first, code]).toEqual([token, 0])
    expect(stdout).toMatch(new RegExp(`^token id +${world().tokens.get(token)?.tokenId}\nexpires +.*\nat the latest +2026-01-02T03:04:05Z\n$`))
    expect(operator.read('.countersign/tokens.json')).toContain(renewed)
    expect(operator.read('.countersign/tokens.json')).not.toContain(token)
  })

  it('replaces the token in a file, for its owner only, and needs no credentials for it', async () => {
    const file = operator.write('token.txt', `${await login()}\n`)
    const env = { COUNTERSIGN_EXCHANGE: operator.services.address }
    expect(await operator.run(['token', 'renew', '--token-file', file, '-q'], { env, folder: '/' })).toMatchObject({ code: 0 })
    expect([operator.read('token.txt'), operator.mode('token.txt')]).toEqual([`${texts()[1]}\n`, '600'])
  })

  it('prints the new token of one from standard input, and takes none that has nowhere to go', async () => {
    const stdin = await login()
    expect(await operator.run('token renew --token-file - --print-token', { stdin })).toMatchObject({ code: 0, stdout: expect.stringMatching(/^header\..*\n$/) })
    expect(await operator.run('token renew --token-file -', { stdin })).toMatchObject({ code: 2 })
  })

  it('leaves a file as it is where the token lives no longer', async () => {
    const token = await login()
    world().refusals.set('renewAccessToken', new DomainError('FAILED_PRECONDITION', 'TOKEN_NOT_RENEWABLE', 'Log in again before.'))
    const outcome = await operator.run(['token', 'renew', '--token-file', operator.write('token.txt', token)])
    expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining('TOKEN_NOT_RENEWABLE') })
    expect(operator.read('token.txt')).toBe(token)
  })

  it('is wrong usage where no token is kept', async () => {
    expect(await operator.run('token renew --credentials-file web.json')).toMatchObject({ code: 2, stderr: expect.stringContaining('log in') })
  })
})

describe('token introspect', () => {
  it('shows of whom a token is, the own one or one that was presented', async () => {
    const token = await login()
    const { code, stdout } = await operator.run(['token', 'introspect', '--token-file', operator.write('token.txt', token)])
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^token id .*\nidentity +web\n[^]*periodic +each for 60 s\nuses +3 of 10\n$/)])
    expect(await operator.json('token introspect', { env: { COUNTERSIGN_TOKEN: token } })).toMatchObject({ active: true, identityId: world().tokens.get(token)?.identityId })
    expect(await operator.json('token introspect')).toMatchObject({ active: true, identityId: world().admin.identityId })
  })

  it('exits 1 for one that is not good, and says no more', async () => {
    expect(await operator.run('token introspect --token-file - --json', { stdin: 'x.y.z' })).toMatchObject({ code: 1, stdout: '{\n  "active": false\n}\n' })
    expect(await operator.run('token introspect --token-file -', { stdin: 'x.y.z' })).toMatchObject({ code: 1, stdout: 'not active\n' })
  })
})

describe('token revoke of many', () => {
  it('names an identity by name, its method, one of its secrets, or the organization', async () => {
    const [secret] = world().secrets
    const identityId = secret?.identityId ?? ''
    const { code, stdout } = await operator.run(`token revoke --all-of web --secret-id ${secret?.id}`)
    expect([code, stdout]).toEqual([0, `revoked all tokens of client secret ${secret?.id} of web\n`])
    for (const line of ['--all-of web', '--all-of web --method universal-auth', '--all-of-organization']) await operator.run(`token revoke ${line}`)
    expect(world().revokedAll).toEqual([
      { $case: 'clientSecret', value: { identityId, id: secret?.id } },
      { $case: 'identityId', value: identityId },
      { $case: 'authMethod', value: { identityId, method: 'universal-auth' } },
      { $case: 'organization', value: {} },
    ])
  })

  it.each(['--all-of web --all-of-organization', '--method universal-auth', '--all-of-organization --secret-id x', '--all-of web --method m --secret-id x', 'x --all-of web'])('is wrong usage with %s, and revokes nothing', async (options) => {
    expect(await operator.run(`token revoke ${options}`)).toMatchObject({ code: 2 })
    expect(world().calls).toEqual([])
  })
})

describe('token list', () => {
  it('shows those of all identities, or of one, by the names of their identities', async () => {
    const token = await login()
    const { tokenId } = world().tokens.get(token) ?? {}
    expect((await operator.run('token list')).stdout).toContain(`${tokenId}  web       -     a-secret    2026-01-02T03:04:05Z  -        2026-01-02T03:04:05Z  3 of 10  2026-01-02T03:04:05Z  -\n`)
    expect((await operator.run('token list --identity web -q')).stdout).toBe(`${tokenId}\n`)
    expect(await operator.json('token list --limit 1')).toHaveLength(1)
  })
})
