import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DomainError, invalidRequest } from '#libs/domain-error.js'
import { newOperator, type Operator } from './operator.js'

let operator: Operator
beforeAll(async () => {
  operator = await newOperator()
})
afterAll(() => operator.leave())
beforeEach(() => operator.services.world.refusals.clear())

const refuse = (method: string, error: DomainError) => operator.services.world.refusals.set(method, error)

describe('exits 0', () => {
  it.each(['whoami', 'identity list', '--version', '--help', 'identity create --help', 'check read orders'])('after %s', async (line) => {
    expect(await operator.run(line)).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('exits 1', () => {
  it('when a check is denied, which is an answer and no error', async () => {
    const { code, stdout, stderr } = await operator.run('check delete orders')
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    expect(stdout).toContain('denied: rule 1 of role viewer denies it')
  })

  it('when the server refuses, with its message and reason in one line', async () => {
    refuse('createProject', new DomainError('PERMISSION_DENIED', 'NOT_ALLOWED', 'The roles of this token do not allow create on project.'))
    expect(await operator.run('project create shop')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'The roles of this token do not allow create on project. (NOT_ALLOWED)\n',
    })
  })

  it('when the request is not valid, with each wrong field on a line of its own', async () => {
    const violations = [{ field: 'name', description: 'must be 1 to 64 characters' }, { field: 'role', description: 'must be set' }]
    refuse('createIdentity', invalidRequest(violations))
    const { code, stderr } = await operator.run('identity create x')
    expect(code).toBe(1)
    expect(stderr).toBe('The request is not valid (INVALID_REQUEST):\n  name must be 1 to 64 characters\n  role must be set\n')
    const asJson = await operator.run('identity create x --json')
    expect(JSON.parse(asJson.stderr)).toMatchObject({ error: { reason: 'INVALID_REQUEST', violations } })
  })

  it('when nothing has the name', async () => {
    const { code, stderr } = await operator.run('identity get nobody')
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'There is no identity named nobody. (IDENTITY_NOT_FOUND)\n' })
  })
})

describe('exits 2', () => {
  it.each([
    ['', 'Usage: countersign'],
    ['identity', 'Usage: countersign identity'],
    ['nonsense', "unknown command 'nonsense'"],
    ['identity list --nonsense', "unknown option '--nonsense'"],
    ['identity get', "missing required argument 'identity'"],
    ['binding create web', "required option '--role <role>' not specified"],
    ['identity list --limit none', 'none is not a whole number.'],
    ['identity list --json --quiet', 'Give either --json or --quiet.'],
    ['binding create admin --role viewer --until 2030-01-01', '2030-01-01 is not a time'],
    ['role create clerk', 'A role needs rules'],
    ['role create clerk --allow everything', '--allow "everything" is not a rule'],
    ['role create clerk --rules missing.json', "missing.json can't be read"],
    ['check read orders --attribute path', '--attribute path is not key=value.'],
    ['identity create web --ttl 1h', '--secret-uses need --universal-auth.'],
    ['whoami --credentials-file missing.json', "missing.json can't be read"],
  ])('on %j', async (line, message) => {
    const { code, stdout, stderr } = await operator.run(line === '' ? [] : line)
    expect(stderr).toContain(message)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })
})

describe('exits 3', () => {
  it('when nobody listens, and says where', async () => {
    const { code, stderr } = await operator.run('project list', { env: { COUNTERSIGN_REGISTRY: '127.0.0.1:1' } })
    expect(code).toBe(3)
    expect(stderr).toBe("Can't reach identity-registry at 127.0.0.1:1: is it running? `npm start` (PEER_UNAVAILABLE)\n")
  })

  it('when a service answers that it lacks what it needs', async () => {
    refuse('listProjects', new DomainError('UNAVAILABLE', 'DATABASE_UNAVAILABLE', 'The database could not be reached.'))
    const { code, stderr } = await operator.run('project list --json')
    expect(code).toBe(3)
    expect(JSON.parse(stderr)).toEqual({
      error: {
        reason: 'DATABASE_UNAVAILABLE',
        message: `identity-registry at ${operator.services.address} can't answer at the moment: The database could not be reached.`,
        metadata: { service: 'identity-registry', address: operator.services.address },
      },
    })
  })
})
