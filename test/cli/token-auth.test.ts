import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addIdentity } from './fake-world.js'
import { newOperator, type Operator } from './operator.js'

let operator: Operator
beforeEach(async () => {
  operator = await newOperator()
  addIdentity(world(), 'web')
})
afterEach(() => operator.leave())

const world = () => operator.services.world
const attach = (options = '') => operator.run(`auth-method attach token-auth web ${options}`.trim())
const made = () => [...world().tokens].find(([text]) => text.endsWith('.shown-once'))

describe('auth-method', () => {
  it('attach shows what holds, and what to type next', async () => {
    const { code, stdout } = await attach('--ttl 1d --max-ttl 90d --uses 5 --trusted-ip 10.0.0.0/8 --trusted-ip ::1/128')
    const [method] = world().authMethods
    expect(method).toMatchObject({ accessTokenTtlSeconds: 86_400, accessTokenMaxTtlSeconds: 7_776_000, accessTokenUseLimit: 5, accessTokenTrustedIps: { cidrs: ['10.0.0.0/8', '::1/128'] } })
    const fields = [`id           ${method?.id}`, 'token ttl    86400 s', 'at the most  7776000 s', 'period       none', 'token uses   5', 'tokens from  10.0.0.0/8 ::1/128']
    expect([code, stdout]).toEqual([0, `identity     web\nmethod       token-auth\n${fields.join('\n')}\n\nnext: npx countersign token create web --name NAME --token-file token.txt\n`])
  })

  it('attach is wrong usage for a method that is not attached so, and asks nobody', async () => {
    expect(await operator.run('auth-method attach universal-auth web')).toMatchObject({ code: 2, stderr: expect.stringContaining('identity create') })
    expect(world().calls).toEqual([])
  })

  it('get and list show it', async () => {
    await attach()
    expect((await operator.run('auth-method get token-auth web')).stdout).toContain('tokens from  anywhere\n')
    expect((await operator.run('auth-method list web')).stdout).toContain('\ntoken-auth  3600 s     86400 s      any number  anywhere     2026-01-02T03:04:05Z\n')
    expect((await operator.run('auth-method list web -q')).stdout).toBe('token-auth\n')
    expect((await operator.run('auth-method list admin')).stdout).toBe('No auth methods.\n')
  })

  it('update changes what is given, and is wrong usage where nothing is', async () => {
    await attach('--uses 5')
    expect(await operator.json('auth-method update token-auth web --period 1h')).toMatchObject({ accessTokenPeriodSeconds: 3600, accessTokenUseLimit: 5 })
    expect(await operator.run('auth-method update token-auth web')).toMatchObject({ code: 2 })
  })

  it('remove takes it away, and is refused where there is none', async () => {
    await attach()
    expect(await operator.run('auth-method remove token-auth web')).toMatchObject({ code: 0, stdout: 'removed token-auth from web\n' })
    expect(await operator.run('auth-method remove token-auth web')).toMatchObject({ code: 1, stderr: expect.stringContaining('AUTH_METHOD_NOT_FOUND') })
  })
})

describe('token create', () => {
  it('shows the token this once', async () => {
    await attach()
    const { code, stdout } = await operator.run(['token', 'create', 'web', '--name', 'CI of main'])
    const [text = '', token] = made() ?? []
    expect([code, token?.name, stdout.split(text).length]).toEqual([0, 'CI of main', 2])
    expect(stdout).toContain('\nnext: npx countersign token list --identity web\n')
  })

  it('writes the token into a new file for its owner only, and shows it nowhere', async () => {
    await attach()
    const { code, stdout } = await operator.run('token create web --name ci --token-file token.txt')
    const [text = ''] = made() ?? []
    expect([code, operator.read('token.txt'), operator.mode('token.txt')]).toEqual([0, `${text}\n`, '600'])
    expect(stdout).not.toContain('shown-once')
    expect(stdout).toContain('\nnext: npx countersign token introspect --token-file token.txt\n')
  })

  it('makes none where the file is there already, or where it would be lost', async () => {
    await attach()
    operator.write('token.txt', 'another')
    for (const options of ['--token-file token.txt', '-q']) expect(await operator.run(`token create web --name ci ${options}`)).toMatchObject({ code: 2 })
    expect([operator.read('token.txt'), made()]).toEqual(['another', undefined])
  })

  it('is wrong usage without a name', async () => {
    expect(await operator.run('token create web')).toMatchObject({ code: 2, stderr: expect.stringContaining('--name') })
  })
})

describe('token rename', () => {
  it('gives the token of this id another name, by which it is listed', async () => {
    await attach()
    expect(await operator.json('token create web --name ci')).toMatchObject({ tokenId: expect.any(String) })
    const [tokenId = ''] = (await operator.run('token list --identity web -q')).stdout.split('\n')
    expect(await operator.run(['token', 'rename', tokenId, 'CI of main'])).toMatchObject({ code: 0, stdout: `renamed token ${tokenId} to CI of main\n` })
    expect((await operator.run('token list --identity web')).stdout).toContain(`${tokenId}  web       CI of main  `)
  })
})
