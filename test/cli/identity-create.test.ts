import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DomainError } from '#libs/domain-error.js'
import { newOperator, type Operator } from './operator.js'

let operator: Operator
beforeEach(async () => {
  operator = await newOperator()
})
afterEach(() => operator.leave())

const world = () => operator.services.world
const STEP_1 = 'identity create web --role no-access --universal-auth --credentials-file web.json'

describe('answers', () => {
  it('makes identity, method and secret, and writes the secret to a file of mode 0600 and nowhere else', async () => {
    const { code, stdout, stderr } = await operator.run(`${STEP_1} --ttl 10m --max-ttl 1h --secret-ttl 1d --secret-uses 5`)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(operator.mode('web.json')).toBe('600')
    const [method, secret, identity] = [world().methods[0], world().secrets[0], world().identities[1]]
    expect(JSON.parse(operator.read('web.json'))).toEqual({
      organizationId: world().organizationId,
      identityId: identity?.id,
      clientId: method?.clientId,
      clientSecretId: secret?.id,
      clientSecret: `csk_${secret?.id}_shown-once`,
    })
    expect(stdout).not.toContain('shown-once')
    expect(method).toMatchObject({ accessTokenTtlSeconds: 600, accessTokenMaxTtlSeconds: 3600 })
    expect(secret).toMatchObject({ useLimit: 5, expireTime: expect.any(Date) })
    expect(stdout).toContain('next: npx countersign project create NAME\n')
  })

  it('is step one of four that can be typed as they are shown', async () => {
    await operator.run('project create shop')
    const one = await operator.run(STEP_1)
    const two = await operator.run(nextOf(one.stdout))
    const three = await operator.run(nextOf(two.stdout))
    const four = await operator.run(nextOf(three.stdout).replace('PROJECT', 'shop'))
    expect([one, two, three, four].map(({ code }) => code)).toEqual([0, 0, 0, 0])
    expect(four.stdout).toContain('allowed: rule 1 of role viewer allows it\nidentity  web\n')
  })

  it('prints the secret once where no file is named', async () => {
    const { stdout } = await operator.run('identity create web --universal-auth')
    expect(stdout).toContain(`client secret     csk_${world().secrets[0]?.id}_shown-once\n`)
    expect(stdout).toContain('shown this once')
    const app = await operator.json('identity create app --universal-auth')
    expect(app).toMatchObject({ name: 'app', clientSecret: `csk_${world().secrets[1]?.id}_shown-once` })
  })

  it('takes the role by its id too', async () => {
    const role = await operator.json(['role', 'create', 'ops', '--allow', 'read on *'])
    await operator.run(`identity create web --role ${String(Object(role).id)}`)
    expect(world().identities[1]?.etag).toBe('ops')
  })
})

describe('repeated', () => {
  it('goes on where the method could not be made', async () => {
    world().refusals.set('attachUniversalAuth', new DomainError('UNAVAILABLE', 'DATABASE_UNAVAILABLE', 'The database could not be reached.'))
    const failed = await operator.run(STEP_1)
    expect(failed.code).toBe(3)
    expect(failed.stderr).toContain('Identity web was made, its credentials were not: once the cause is gone, the same command goes on from there.\n')
    world().refusals.clear()
    const { code, stderr } = await operator.run(STEP_1)
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'Identity web exists already: going on with it; its roles stay as they are.\n' })
    expect([world().identities.length, world().methods.length, world().secrets.length]).toEqual([2, 1, 1])
  })

  it('goes on where the secret could not be made', async () => {
    world().refusals.set('createClientSecret', new DomainError('UNAVAILABLE', 'DATABASE_UNAVAILABLE', 'The database could not be reached.'))
    expect((await operator.run(STEP_1)).code).toBe(3)
    expect(() => operator.read('web.json')).toThrow()
    world().refusals.clear()
    const { code, stderr } = await operator.run(STEP_1)
    expect(code).toBe(0)
    expect(stderr).toContain('Identity web has Universal Auth already, with no live client secret: going on with it')
    expect(JSON.parse(operator.read('web.json'))).toMatchObject({ clientSecretId: world().secrets[0]?.id })
  })

  it('makes no second secret beside a live one, and says how to', async () => {
    await operator.run(STEP_1)
    const { code, stderr } = await operator.run(STEP_1.replace('web.json', 'web-2.json'))
    expect(code).toBe(1)
    expect(stderr).toContain('has a live client secret already')
    expect(stderr).toContain('npx countersign secret create web')
    expect(world().secrets).toHaveLength(1)
    expect(() => operator.read('web-2.json')).toThrow()
  })

  it.each([
    ['revoked', { revokeTime: new Date(0) }],
    ['expired', { expireTime: new Date(1000) }],
    ['spent', { useLimit: 1, uses: 1 }],
  ])('makes another beside one that is %s', async (_, change) => {
    await operator.run(STEP_1)
    Object.assign(world().secrets[0] ?? {}, change)
    expect((await operator.run(STEP_1.replace('web.json', 'web-2.json'))).code).toBe(0)
    expect(world().secrets).toHaveLength(2)
  })

  it('stays an error without --universal-auth', async () => {
    await operator.run('identity create web')
    const { code, stderr } = await operator.run('identity create web')
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'There is an identity named web already. (IDENTITY_NAME_TAKEN)\n' })
  })
})

describe('refuses', () => {
  it('to overwrite a file, before anything is made', async () => {
    operator.write('web.json', 'precious')
    const { code, stderr } = await operator.run(STEP_1)
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'web.json exists already: it is not overwritten. Name another file, or remove this one.\n' })
    expect(operator.read('web.json')).toBe('precious')
    expect(world().calls).toEqual([])
  })

  it('a file in a folder that is not there, before anything is made', async () => {
    expect((await operator.run(STEP_1.replace('web.json', 'missing/web.json'))).code).toBe(2)
    expect(world().calls).toEqual([])
  })

  // A secret that nobody has must not stay good: seen to fail without the revocation.
  it('to leave a good secret behind that could not be written, and to replace a file made in the meantime', async () => {
    const { logins } = world()
    logins.set = () => {
      operator.write('web.json', 'precious')
      return logins
    }
    const { code, stderr } = await operator.run(STEP_1)
    expect(code).toBe(2)
    expect(stderr).toContain('so the new client secret was revoked')
    expect(operator.read('web.json')).toBe('precious')
    expect(world().secrets.map(({ revokeTime }) => revokeTime)).toEqual([expect.any(Date)])
  })

  it('to lose the secret with --quiet', async () => {
    expect(await operator.run('identity create web --universal-auth -q')).toMatchObject({ code: 2, stderr: expect.stringContaining('would be lost') })
    expect(world().calls).toEqual([])
    expect((await operator.run(`${STEP_1} -q`)).stdout).toBe(`${world().identities[1]?.id}\n`)
  })

  it('to take the file to write for the file to act with', async () => {
    const { code, stderr } = await operator.run('identity create web --credentials-file .countersign/admin.json')
    expect(code).toBe(2)
    expect(stderr).toContain('to act with a file, put it before `identity`')
    expect((await operator.run(`--credentials-file .countersign/admin.json ${STEP_1}`)).code).toBe(0)
  })
})

function nextOf(stdout: string): string {
  const [, next = ''] = /\nnext: npx countersign (.*)\n$/.exec(stdout) ?? []
  return next
}
