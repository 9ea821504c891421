import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Closing } from '#libs/lifecycle.js'
import { ROOT } from '../house/documents.js'
import { blocksOf } from '../manifests/page-blocks.js'
import { startLocal } from '../support/local-system.js'
import { isServing } from '../support/processes.js'
import { scratchDirectory } from '../support/scratch-directory.js'
import { stablePort } from '../support/stable-port.js'

// docs/sidecar.md, typed as it stands, in a folder of its own: three terminals, as a reader has them.

const NODE = `'${process.execPath}' --conditions=development --import ${import.meta.resolve('tsx')}`
const FOUR_STEPS = [
  'countersign identity create billing --universal-auth --credentials-file billing.json',
  'countersign project create shop',
  'countersign binding create billing --project shop --role viewer',
].join('\n')

it('docs/sidecar.md does what it says', { timeout: 240_000 }, async () => {
  const closing = new Closing()
  try {
    const scratch = await scratchDirectory()
    closing.add(() => scratch.remove())
    const ports = new Map(await Promise.all(['50061', '50062', '50063'].map(async (port) => [port, String(await stablePort())] as const)))
    const programs = [
      `countersign() { ${NODE} '${join(ROOT, 'cli/main.ts')}' "$@"; }`,
      'npx() { "$@"; }',
      `npm() { exec ${NODE} '${join(ROOT, 'deploy/local/main.ts')}'; }`,
      `node() { exec '${process.execPath}' '${ROOT}'/"$@"; }`,
    ].join('\n')
    const typed = (text: string) => `${programs}\n${text.replaceAll(/5006[1-3]/g, (port) => ports.get(port) ?? port)}`
    const env = { PATH: process.env['PATH'], HOME: scratch.path, REGISTRY_PORT: '0', EXCHANGE_PORT: '0', CHECK_PORT: '0' }
    const run = (text: string, more = {}) =>
      new Promise<{ failed: unknown; output: string }>((done) => {
        execFile('bash', ['--norc', '-euo', 'pipefail', '-c', typed(text)], { cwd: scratch.path, env: { ...env, ...more } }, (failed, stdout, stderr) => done({ failed, output: stdout + stderr }))
      })
    /** A terminal in which something goes on running. */
    const open = (text: string, more = {}) => {
      const shell = spawn('bash', ['--norc', '-euc', typed(text)], { cwd: scratch.path, env: { ...env, ...more }, stdio: ['ignore', 'pipe', 'pipe'] })
      let said = ''
      for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
      const ended = once(shell, 'close')
      closing.add(async () => {
        shell.kill('SIGTERM')
        await ended
      })
      return { said: () => said }
    }

    const before = startLocal(join(scratch.path, '.countersign'))
    await before.ready()
    const steps = await run(FOUR_STEPS)
    expect(steps).toMatchObject({ failed: null })
    const ids = await run('countersign whoami --json; countersign project list -q')
    const [ORGANIZATION_ID = ''] = /(?<="organizationId": ?")[^"]+/.exec(ids.output) ?? []
    const [PROJECT_ID = ''] = /^[0-9a-f-]{36}$/m.exec(ids.output) ?? []
    await before.stop()

    const blocks = blocksOf('docs/sidecar.md')
    const [first, ...last] = blocks.filter(({ info }) => info === 'sh').map(({ code }) => code)
    expect(await run(first ?? '')).toMatchObject({ failed: null })
    const central = open(blocks.find(({ info }) => info === 'sh needs-ids')?.code ?? '', { ORGANIZATION_ID, PROJECT_ID })
    await expect.poll(() => central.said(), { timeout: 60_000 }).toContain('admin.json')
    const socket = join(scratch.path, 'check.sock')
    const sidecar = open(blocks.find(({ info }) => info === 'sh stays')?.code ?? '')
    await expect.poll(() => existsSync(socket) && isServing(`unix:${socket}`), { timeout: 30_000 }).toBe(true)
    const asked = await run(last.join('\n'))
    expect(asked, `${central.said()}\n${sidecar.said()}`).toEqual({ failed: null, output: expect.stringMatching(/allowed: rule 0 of role viewer allows it[^]*denied: no role that billing holds here/) })
  } finally {
    await closing.close()
  }
})
