import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from '../house/documents.js'
import { blocksOf } from '../manifests/page-blocks.js'
import { scratchDirectory } from '../support/scratch-directory.js'
import { startSystem } from '../support/system.js'

// docs/agent.md, typed as it stands, in a folder of its own beside services that run.

const NODE = `'${process.execPath}' --conditions=development --import ${import.meta.resolve('tsx')} '${join(ROOT, 'cli/main.ts')}'`

it('docs/agent.md does what it says', async () => {
  const [scratch, system] = await Promise.all([scratchDirectory(), startSystem()])
  const { registry, exchange, check } = system.addresses
  writeFileSync(join(scratch.path, 'admin.json'), JSON.stringify(system.admin), { mode: 0o600 })
  const env = { PATH: process.env['PATH'], HOME: scratch.path, COUNTERSIGN_REGISTRY: registry, COUNTERSIGN_EXCHANGE: exchange, COUNTERSIGN_CHECK: check, COUNTERSIGN_CREDENTIALS_FILE: 'admin.json' }
  const code = blocksOf('docs/agent.md').filter(({ info }) => info === 'sh').map((block) => block.code).join('\n')
  const script = code.replaceAll(/npx countersign|node cli\/countersign\.js/g, NODE)
  const { error, output } = await new Promise<{ error: Error | null; output: string }>((done) => {
    execFile('bash', ['--norc', '-euo', 'pipefail', '-c', script], { cwd: scratch.path, env, timeout: 150_000 }, (error, stdout, stderr) => done({ error, output: stdout + stderr }))
  })
  expect([error, output]).toEqual([null, expect.stringContaining('obtained token')])
  expect(JSON.parse(readFileSync(join(scratch.path, 'answer.json'), 'utf8'))).toMatchObject({ tokenType: 'Bearer', accessToken: expect.any(String) })
  await system.close()
  await scratch.remove()
}, 180_000)
