import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addIdentity, addProject } from './fake-world.js'
import { newOperator, type Operator } from './operator.js'

let operator: Operator
beforeEach(async () => {
  operator = await newOperator()
  addProject(world(), 'shop')
  operator.write('web.json', JSON.stringify(addIdentity(world(), 'web')))
})
afterEach(() => operator.leave())

const world = () => operator.services.world
const webToken = async () => (await operator.run('login --print-token --credentials-file web.json')).stdout.trim()

describe('check', () => {
  it.each([
    ['check read orders', 0, 'allowed: rule 1 of role viewer allows it'],
    ['check delete orders', 1, 'denied: rule 1 of role viewer denies it'],
    ['check write orders', 1, 'denied: no role that admin holds here says anything about write on orders'],
    ['check read orders --from 192.0.2.1', 1, 'denied: the token may not be used from this address'],
    ['check read orders --from 192.0.2.2', 0, 'allowed: rule 1 of role viewer allows it'],
    ['check read orders --attribute path=/closed --attribute b=c=d', 1, 'denied: rule 7 of role viewer denies it'],
  ])('%s exits %d', async (line, code, first) => {
    const outcome = await operator.run(line)
    expect(outcome.code).toBe(code)
    expect(outcome.stdout.split('\n')[0]).toBe(first)
  })

  it('prints the whole decision with --json and nothing with --quiet', async () => {
    expect(await operator.json('check read orders --project shop')).toMatchObject({
      allowed: true,
      reason: 'allowed-by-rule',
      rule: { role: 'viewer', ruleIndex: 1, roleId: world().projects[0]?.id },
      identityName: 'admin',
      tokenExpireTime: '2030-01-01T00:00:00.000Z',
    })
    expect(await operator.run('check write orders -q')).toEqual({ code: 1, stdout: '', stderr: '' })
  })

  it('takes a presented token from a file, standard input or the environment, and needs no credentials for it', async () => {
    const token = await webToken()
    const env = { COUNTERSIGN_CHECK: operator.services.address }
    const file = operator.write('token.txt', `${token}\n`)
    world().calls.length = 0
    const answers = [
      await operator.json(['check', 'read', 'orders', '--token-file', file], { env, folder: '/' }),
      await operator.json('check read orders --token-file -', { env, folder: '/', stdin: token }),
      await operator.json('check read orders', { env: { ...env, COUNTERSIGN_TOKEN: token }, folder: '/' }),
    ]
    expect(answers.map((answer) => Object(answer).identityName)).toEqual(['web', 'web', 'web'])
    expect(world().calls).toEqual(['check', 'check', 'check'])
  })

  it('shows its own token where the service wants to know who asks', async () => {
    const token = await webToken()
    world().callerIsWanted = true
    expect(await operator.json('check read orders', { env: { COUNTERSIGN_TOKEN: token } })).toMatchObject({ identityName: 'web' })
    expect(await operator.json('check read orders')).toMatchObject({ identityName: 'admin' })
  })

  it('does not log in again for a presented token that is refused', async () => {
    expect(await operator.run('check read orders', { env: { COUNTERSIGN_TOKEN: 'forged' } })).toMatchObject({
      code: 1,
      stderr: 'The access token was rejected. (ACCESS_TOKEN_REJECTED)\n',
    })
  })

  it('looks a project up with the credentials of the installation where the checked identity may not', async () => {
    world().powerless.add(world().identities[1]?.id ?? '')
    expect((await operator.run('check read orders --project shop --credentials-file web.json')).stdout).toContain('identity  web\n')
    const { address } = operator.services
    const addresses = { COUNTERSIGN_REGISTRY: address, COUNTERSIGN_EXCHANGE: address, COUNTERSIGN_CHECK: address }
    const env = { ...addresses, COUNTERSIGN_CREDENTIALS_FILE: operator.path('web.json') }
    const alone = await operator.run('check read orders --project shop', { env, folder: '/' })
    expect(alone).toMatchObject({ code: 1, stderr: expect.stringContaining("give the project's id") })
    expect((await operator.run(`check read orders --project ${world().projects[0]?.id}`, { env, folder: '/' })).code).toBe(0)
  })
})

describe('whoami', () => {
  it('says who acts, with which token, and from where', async () => {
    const { stdout } = await operator.run('whoami')
    expect(stdout).toContain(`identity      admin (${world().admin.identityId})\n`)
    expect(stdout).toContain(`organization  acme (${world().organizationId})\n`)
    expect(stdout).toContain(`credentials   ${operator.path('.countersign/admin.json')}\n`)
    expect((await operator.run('whoami -q')).stdout).toBe(`${world().admin.identityId}\n`)
  })

  it('shows ids where the identity may see no more', async () => {
    world().powerless.add(world().identities[1]?.id ?? '')
    const who = await operator.json('whoami --credentials-file web.json')
    expect(who).toMatchObject({ identityName: 'web', organizationId: world().organizationId, credentials: { source: 'web.json' } })
    expect(who).not.toHaveProperty('organizationName')
  })
})

describe('token revoke', () => {
  it('revokes the acting token and forgets it', async () => {
    await operator.run('login --credentials-file web.json')
    const { code, stdout } = await operator.run('token revoke --credentials-file web.json')
    expect({ code, stdout }).toEqual({ code: 0, stdout: `revoked token ${[...world().tokens.values()].at(-1)?.tokenId}\n` })
    expect([...world().tokens.values()].map(({ revoked }) => revoked)).toEqual([true])
    expect(await operator.json('token revoke --credentials-file web.json')).toEqual({ revoked: false })
  })

  it('revokes a token in a file, from standard input, or by its id', async () => {
    const [first, second, third] = [await webToken(), await webToken(), await webToken()]
    await operator.run(['token', 'revoke', '--token-file', operator.write('token.txt', first)])
    await operator.run('token revoke --token-file -', { stdin: second })
    await operator.run(`token revoke ${world().tokens.get(third)?.tokenId}`)
    expect([first, second, third].map((token) => world().tokens.get(token)?.revoked)).toEqual([true, true, true])
  })
})

describe('secret', () => {
  it('makes, lists and revokes client secrets', async () => {
    expect((await operator.run('secret create web --uses 3 --description spare --credentials-file web-2.json')).stdout).not.toContain('shown-once')
    expect(operator.mode('web-2.json')).toBe('600')
    const ids = (await operator.run('secret list web -q')).stdout.trim().split('\n')
    expect(ids).toEqual(world().secrets.map(({ id }) => id))
    await operator.run(`secret revoke web ${ids[0]}`)
    const { stdout } = await operator.run('secret list web')
    expect(stdout).toMatch(/revoked +0 +- +- +first\n/)
    expect(stdout).toMatch(/live +0 of 3 +- +- +spare\n/)
  })
})

describe('delete', () => {
  it('takes bindings by id and identities by name or id', async () => {
    const bound = (await operator.run('binding create web --project shop --role viewer -q')).stdout.trim()
    expect(await operator.json(`binding delete ${bound}`)).toEqual({ id: bound, deleted: true })
    expect((await operator.run('identity delete web')).code).toBe(0)
    expect(world().identities.map(({ name }) => name)).toEqual(['admin'])
  })
})
