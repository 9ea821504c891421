import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Principal } from '#libs/wire/gen/countersign/exchange/v1/principal.js'
import { Identity, IdentityState } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import { NOW } from './fake-world.js'
import { newOperator, type Operator } from './operator.js'

let operator: Operator
beforeEach(async () => {
  operator = await newOperator()
})
afterEach(() => operator.leave())

const world = () => operator.services.world
const NAME = 'spiffe://acme.example/ns/shop/sa/web'
const unknownId = '0198c0de-0000-7000-8000-000000000001'

function addWeb(): string {
  const id = world().ids.next()
  world().identities.push(Identity.fromPartial({ id, organizationId: world().organizationId, name: 'web', state: IdentityState.ACTIVE, createTime: NOW }))
  return id
}

const addPrincipal = (identityId: string, name: string) =>
  world().principals.push(Principal.fromPartial({ id: world().ids.next(), organizationId: world().organizationId, identityId, name, createTime: NOW }))

describe('principal create', () => {
  it('names the identity by name, and shows what to type next', async () => {
    const web = addWeb()
    const { code, stdout } = await operator.run(`principal create web ${NAME}`)
    const [principal] = world().principals
    expect(principal).toMatchObject({ identityId: web, name: NAME })
    expect([code, stdout]).toEqual([0, `identity   web\nprincipal  ${NAME}\nid         ${principal?.id}\n\nnext: npx countersign binding create web --project PROJECT --role viewer\n`])
  })

  it('takes a subject with spaces and commas as one argument, and an identity by its id', async () => {
    const { identityId } = world().admin
    expect(await operator.json(['principal', 'create', identityId, 'CN=web of the shop,O=Acme'])).toMatchObject({ identityId, name: 'CN=web of the shop,O=Acme', createTime: '2026-01-02T03:04:05.000Z' })
  })

  it('is wrong usage without a name', async () => {
    expect(await operator.run('principal create admin')).toMatchObject({ code: 2 })
    expect(world().calls).toEqual([])
  })
})

describe('principal list', () => {
  it('shows those of all identities, or of one, by the names of their identities', async () => {
    const web = addWeb()
    addPrincipal(web, NAME)
    addPrincipal(world().admin.identityId, 'CN=admin')
    const [ofWeb, ofAdmin] = world().principals.map(({ id }) => id)
    const { stdout } = await operator.run('principal list')
    expect(stdout).toContain(`\n${ofWeb}  web       ${NAME}  2026-01-02T03:04:05Z\n`)
    expect(stdout).toContain(`\n${ofAdmin}  admin     CN=admin `)
    expect((await operator.run('principal list --identity admin -q')).stdout).toBe(`${ofAdmin}\n`)
    expect(await operator.json('principal list --limit 1')).toHaveLength(1)
  })

  it('shows the id of an identity that was deleted', async () => {
    const web = addWeb()
    addPrincipal(web, NAME)
    world().identities.splice(1)
    expect((await operator.run('principal list')).stdout).toContain(`  ${web}  ${NAME}  `)
  })

  it('says that there are none', async () => {
    expect((await operator.run('principal list')).stdout).toBe('No principals.\n')
  })
})

describe('principal delete', () => {
  it('deletes the one of this id, and is refused for any other', async () => {
    addPrincipal(world().admin.identityId, NAME)
    const id = world().principals[0]?.id
    expect(await operator.run(`principal delete ${unknownId}`)).toMatchObject({ code: 1, stderr: expect.stringContaining('PRINCIPAL_NOT_FOUND') })
    expect(await operator.run(`principal delete ${id}`)).toMatchObject({ code: 0, stdout: `deleted principal ${id}\n` })
    expect(world().principals).toEqual([])
  })
})
