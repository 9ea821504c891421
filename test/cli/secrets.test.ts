import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newOperator, type Operator } from './operator.js'

let operator: Operator
beforeEach(async () => {
  operator = await newOperator()
  await operator.run('identity create web --universal-auth --credentials-file web.json')
})
afterEach(() => operator.leave())

const world = () => operator.services.world
const firstId = () => world().secrets[0]?.id ?? ''
const textOf = (place: number) => `csk_${world().secrets[place]?.id}_shown-once`

describe('secret create', () => {
  it('takes from where it may be used', async () => {
    const { code } = await operator.run('secret create web --from 10.0.0.0/8 --from 2001:db8::/32 --uses 5')
    expect([code, world().secrets[1]]).toMatchObject([0, { useLimit: 5, trustedIps: { cidrs: ['10.0.0.0/8', '2001:db8::/32'] } }])
  })

  it('shows a wrapping token in place of the secret, which whoever has it unwraps into a file', async () => {
    const { stdout } = await operator.run('secret create web --wrap 10m')
    const id = world().secrets[1]?.id
    expect(stdout).toContain(`wrapped until     2026-01-02T03:14:05Z\nwrapping token    csw_${id}\n`)
    expect(stdout).not.toContain('shown-once')
    expect(stdout).toContain('\nnext: npx countersign secret unwrap --token-file - --credentials-file web.json\n')
    const env = { COUNTERSIGN_EXCHANGE: operator.services.address }
    const unwrapped = await operator.run(['secret', 'unwrap', '--token-file', '-', '--credentials-file', operator.path('web-2.json')], { env, folder: '/', stdin: `csw_${id}\n` })
    expect(unwrapped).toMatchObject({ code: 0, stdout: expect.stringContaining(`next: npx countersign login --credentials-file ${operator.path('web-2.json')}\n`) })
    expect(operator.mode('web-2.json')).toBe('600')
    expect(JSON.parse(operator.read('web-2.json'))).toMatchObject({ organizationId: world().organizationId, clientSecretId: id, clientSecret: textOf(1) })
  })

  it('takes no wrapping whose token would be lost, and no file for a secret that is not shown', async () => {
    for (const line of ['secret create web --wrap 10m -q', 'secret create web --wrap 10m --credentials-file web-2.json']) {
      expect(await operator.run(line)).toMatchObject({ code: 2 })
    }
    expect(world().secrets).toHaveLength(1)
  })
})

describe('secret unwrap', () => {
  it('prints the secret once where no file is named', async () => {
    const file = operator.write('wrapping.txt', `csw_${firstId()}`)
    expect((await operator.run(['secret', 'unwrap', '--token-file', file])).stdout).toContain(`client secret     ${textOf(0)}\n`)
  })

  it('leaves no file behind where the token is refused', async () => {
    const outcome = await operator.run('secret unwrap --token-file - --credentials-file web-2.json', { stdin: 'csw_x' })
    expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining('WRAPPING_TOKEN_REJECTED') })
    expect(() => operator.read('web-2.json')).toThrow()
  })
})

describe('secret rotate', () => {
  it('writes the successor into a file, and says how long the old one lives', async () => {
    const { code, stdout } = await operator.run(`secret rotate web ${firstId()} --overlap 1m --credentials-file web-2.json`)
    expect([code, stdout]).toEqual([0, expect.stringContaining(`old secret         ${firstId()}\nold one ends       2026-01-02T03:05:05Z\nold one last used  -\n`)])
    expect(stdout).toContain('\nnext: npx countersign login --credentials-file web-2.json\n')
    expect(JSON.parse(operator.read('web-2.json'))).toMatchObject({ clientSecretId: world().secrets[1]?.id, clientSecret: textOf(1) })
  })

  it('shows a wrapping token in place of it', async () => {
    const answer = await operator.json(`secret rotate web ${firstId()} --wrap 10m`)
    expect(answer).toMatchObject({ wrappingToken: `csw_${world().secrets[1]?.id}`, predecessor: { successorId: world().secrets[1]?.id } })
  })
})

describe('secret get', () => {
  it('shows how it may be used, and when and from where it last was', async () => {
    Object.assign(world().secrets[0] ?? {}, { lastUsedTime: new Date(0), lastUsedAddress: '10.0.0.1' })
    const { stdout } = await operator.run(`secret get web ${firstId()}`)
    expect(stdout).toContain('may be used from  wherever its method trusts\nlast used         1970-01-01T00:00:00Z\nlast used from    10.0.0.1\n')
  })
})

describe('universal-auth', () => {
  it('is updated by what is given alone', async () => {
    const line = 'universal-auth update web --ttl 10m --uses 5 --login-from 10.0.0.0/8 --login-from ::1 --lockout off --lockout-threshold 5'
    expect(await operator.run(line)).toMatchObject({ code: 0 })
    expect(world().methods[0]).toMatchObject({
      accessTokenTtlSeconds: 600,
      accessTokenMaxTtlSeconds: 86_400,
      accessTokenUseLimit: 5,
      clientSecretTrustedIps: { cidrs: ['10.0.0.0/8', '::1'] },
      lockout: { enabled: false, threshold: 5, durationSeconds: undefined },
    })
    const { stdout } = await operator.run('universal-auth get web')
    expect(stdout).toContain('tokens live        600 s\n')
    expect(stdout).toContain('logins from        10.0.0.0/8, ::1\n')
  })

  it('is not updated by nothing', async () => {
    const calls = world().calls.length
    expect(await operator.run('universal-auth update web')).toMatchObject({ code: 2, stderr: expect.stringContaining('Say what to change') })
    expect(await operator.run('universal-auth update web --lockout maybe')).toMatchObject({ code: 2 })
    expect(world().calls).toHaveLength(calls)
  })
})
