import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Identity, IdentityState } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import { NOW } from './fake-world.js'
import { newOperator, type Operator } from './operator.js'

let operator: Operator
beforeAll(async () => {
  operator = await newOperator()
})
afterAll(() => operator.leave())

const world = () => operator.services.world

describe('for people', () => {
  it('aligns columns, without colours where nobody looks', async () => {
    const { stdout } = await operator.run('identity list')
    const id = world().admin.identityId
    expect(stdout).toBe(`${'ID'.padEnd(36)}  NAME   STATE   CREATED\n${id}  admin  active  2026-01-02T03:04:05Z\n`)
  })

  it('shows the next command after a create', async () => {
    const made = await operator.run('project create shop')
    expect(made.stdout).toMatch(/\n\nnext: npx countersign binding create IDENTITY --project shop --role viewer\n$/)
    const bound = await operator.run('binding create admin --project shop --role viewer --until 2030-01-01T00:00:00Z')
    expect(bound.stdout).toContain('viewer until 2030-01-01T00:00:00Z')
    expect(bound.stdout).toContain('next: npx countersign login --credentials-file admin.json')
  })

  it('names identities and projects in the list of bindings', async () => {
    const { stdout } = await operator.run('binding list --project shop')
    expect(stdout).toMatch(/\n\S{36} {2}admin {5}project shop {2}viewer until 2030-01-01T00:00:00Z\n/)
  })

  it('shows the rules of a role with the index that decisions name', async () => {
    const conditions = [{ attribute: 'path', operator: 'glob', values: ['/a/**'] }]
    const rules = operator.write('rules.json', JSON.stringify([{ resources: ['orders'], actions: ['read'], conditions }]))
    await operator.run(['role', 'create', 'clerk', '--project', 'shop', '--rules', rules, '--deny', 'delete on *', '--allow', 'read,list on *'])
    const { stdout } = await operator.run('role get clerk --project shop')
    expect(stdout).toContain('\n\nrule 0  allow read on orders where path glob /a/**\nrule 1  deny delete on *\nrule 2  allow read,list on *\n')
  })

  it('reads and prints the rules of a role as Infisical writes them, where they can be', async () => {
    const theirs = [
      { subject: ['secrets'], action: ['read', 'readValue'], conditions: { secretPath: { $glob: '/app/**' } }, inverted: false },
      { subject: ['all'], action: ['manage'], inverted: true },
    ]
    const file = operator.write('infisical.json', JSON.stringify(theirs))
    const { stdout } = await operator.run(['role', 'create', 'migrated', '--rules', file, '--form', 'infisical'])
    expect(stdout).toContain('rule 0  allow read,read_value on secrets where secret_path glob /app{,/**}\nrule 1  deny * on *\n')
    expect(JSON.parse((await operator.run('role get migrated --form infisical')).stdout)).toEqual(theirs)
    expect(await operator.json('role get migrated --form infisical')).toEqual(theirs)
    await operator.run(['role', 'create', 'ours', '--rules', operator.write('ours.json', '[{"resources":["a"],"actions":["b"],"conditions":[{"attribute":"ip","operator":"cidr","values":["10.0.0.0/8"]}]}]')])
    const { code, stderr } = await operator.run('role get ours --form infisical')
    expect([code, stderr]).toEqual([1, expect.stringContaining('rules[0].conditions[0] has the operator cidr, which Infisical has not')])
  })

  it('shows nothing that would drive the terminal', async () => {
    world().identities.push(Identity.fromPartial({ id: world().ids.next(), name: 'bad\u001b[2Jname', state: IdentityState.ACTIVE, createTime: NOW }))
    const { stdout } = await operator.run('identity list')
    expect(stdout).toContain('bad [2Jname')
    world().identities.pop()
  })
})

describe('--json', () => {
  it('prints one document with the fields of the protos', async () => {
    const { organizationId, admin } = world()
    expect(await operator.json('identity get admin')).toEqual({
      id: admin.identityId, organizationId, name: 'admin', state: 'active', createTime: '2026-01-02T03:04:05.000Z', etag: '', revision: '',
    })
    expect(await operator.json('identity list')).toHaveLength(1)
  })

  it('prints rules as rule files have them', async () => {
    const role = await operator.json('role get clerk --project shop')
    expect(role).toMatchObject({ rules: [{ effect: 'allow', conditions: [{ operator: 'glob' }] }, { effect: 'deny' }, { effect: 'allow' }] })
    const copied = await operator.json('role create copy --rules -', { stdin: JSON.stringify(Object(role).rules) })
    expect(Object(copied).rules).toEqual(Object(role).rules)
  })

  it('keeps the next command to itself', async () => {
    expect((await operator.run('project create mill --json')).stdout).not.toContain('next:')
  })
})

describe('--quiet', () => {
  it('prints ids alone, one a line', async () => {
    const { stdout } = await operator.run('project list -q')
    expect(stdout).toBe(world().projects.map(({ id }) => `${id}\n`).join(''))
    expect((await operator.run('project create forge --quiet')).stdout).toBe(`${world().projects.at(-1)?.id}\n`)
    expect((await operator.run('-q project list')).stdout).toContain(world().projects.at(-1)?.id)
  })
})

describe('lists', () => {
  it('follow every page, up to --limit', async () => {
    for (let count = 0; count < 250; count += 1) world().identities.push(Identity.fromPartial({ id: world().ids.next(), name: `many-${count}` }))
    expect(await operator.json('identity list')).toHaveLength(251)
    expect(await operator.json('identity list --limit 201')).toHaveLength(201)
    world().identities.splice(1)
  })
})
