import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalSystem, startLocal } from '../support/local-system.js'
import { type ScratchDirectory, scratchDirectory } from '../support/scratch-directory.js'

// The commands against the services themselves; test/cli looks at the rest of their behaviour.

const launcher = join(fileURLToPath(new URL('../..', import.meta.url)), 'cli/countersign.js')

let scratch: ScratchDirectory
let system: LocalSystem

beforeAll(async () => {
  scratch = await scratchDirectory()
  system = startLocal(join(scratch.path, '.countersign'))
  await system.ready()
})
afterAll(async () => {
  await system.stop()
  await scratch.remove()
})

/** Runs a command in the folder of the system; the words of the line are its arguments. */
function run(line: string, input = ''): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, ...line.split(' ')], { cwd: scratch.path, encoding: 'utf8', input })
  return { status, output: (stdout + stderr).trim() }
}

function done(line: string, input = ''): string {
  const { status, output } = run(line, input)
  expect(status, output).toBe(0)
  return output
}

describe('npx countersign', () => {
  it('looks at all that `npm start` runs, without being told where it is', () => {
    const found = done('doctor')
    for (const name of ['identity-registry', 'auth-exchange', 'authorization-check', 'PostgreSQL', 'Redis', 'migrations', 'feeds']) expect(found).toMatch(new RegExp(`^ok {7}${name} `, 'm'))
    expect(found).toContain(' 0 failures, ')
  })

  it('binds with a custom role, changes the roles of a binding, and takes them away', () => {
    done('project create shop')
    const rules = JSON.stringify([{ resources: ['orders'], actions: ['read'], conditions: [{ attribute: 'path', operator: 'glob', values: ['/eu/**'] }] }])
    done('role create eu-reader --project shop --rules -', rules)
    done('identity create reports --universal-auth --credentials-file reports.json')
    const binding = done('binding create reports --project shop --role eu-reader -q')
    const checks = (path: string) => run(`check read orders --project shop --attribute path=${path} --credentials-file reports.json`).status

    expect([checks('/eu/1'), checks('/us/1')]).toEqual([0, 1])
    done(`binding update ${binding} --project shop --role viewer --until 2h`)
    expect([checks('/eu/1'), checks('/us/1')]).toEqual([0, 0])
    expect(run(`binding delete ${binding}`)).toMatchObject({ status: 1, output: expect.stringContaining('BINDING_NOT_FOUND') })
    done(`binding delete ${binding} --project shop`)
    expect([checks('/eu/1'), checks('/us/1')]).toEqual([1, 1])
  })

  it('knows an identity by a name in certificates, until that is deleted', () => {
    done('identity create edge')
    const principal = done('principal create edge spiffe://acme.example/ns/shop/sa/edge -q')
    expect(run('principal create admin spiffe://acme.example/ns/shop/sa/edge')).toMatchObject({ status: 1, output: expect.stringContaining('PRINCIPAL_NAME_TAKEN') })
    expect(done('principal list --identity edge')).toContain(`${principal}  edge      spiffe://acme.example/ns/shop/sa/edge  `)
    done(`principal delete ${principal}`)
    expect(done('principal list')).toBe('No principals.')
    expect(run(`principal delete ${principal}`)).toMatchObject({ status: 1, output: expect.stringContaining('PRINCIPAL_NOT_FOUND') })
  })

  it('revokes a token and a secret, and deletes an identity', () => {
    done('identity create worker --universal-auth --credentials-file worker.json')
    done('secret create worker --credentials-file again.json')
    const token = done('login --print-token --credentials-file worker.json')
    const presented = () => run('check read orders --token-file -', token)
    expect(presented().status).toBe(1)
    done('token revoke --token-file -', token)
    expect(presented()).toMatchObject({ status: 1, output: expect.stringContaining('ACCESS_TOKEN_REJECTED') })

    const [first = '', second = ''] = done('secret list worker -q').split('\n')
    done(`secret revoke worker ${first}`)
    expect(run('login --credentials-file worker.json')).toMatchObject({ status: 1, output: expect.stringContaining('CREDENTIALS_REJECTED') })
    expect(second).not.toBe('')
    done('login --credentials-file again.json')
    done('identity delete worker')
    expect(run('login --credentials-file again.json').status).toBe(1)
    expect(run('identity get worker').status).toBe(1)
  })
})
