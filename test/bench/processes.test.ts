import { afterAll, beforeAll, expect, it } from 'vitest'
import { newSecrets } from '../../deploy/local/secrets.js'
import { type FreshDatabase, freshDatabase } from '../support/postgres.js'
import { nodeProcess, type Processes, startProcesses } from '../support/processes.js'
import { isRunning } from '../support/running-processes.js'

let database: FreshDatabase
let processes: Processes

beforeAll(async () => {
  database = await freshDatabase()
  processes = await startProcesses({ ...database, secrets: newSecrets(), from: 'source' })
})
afterAll(async () => {
  await processes.close()
  await database.drop()
})

it('runs a service again on its ports after it was killed, and keeps what it said', async () => {
  const { check } = processes
  const first = check.pid

  check.kill('SIGKILL')
  await check.ended()
  expect(await isRunning(first)).toBe(false)
  await check.restart()

  expect(check.pid).not.toBe(first)
  expect(check.output().match(/authorization-check is ready/g)).toHaveLength(2)
})

it('stops also what stands still, and leaves nothing behind', async () => {
  const { registry, exchange, check } = processes
  registry.kill('SIGSTOP')

  await processes.close()

  for (const { pid } of [registry, exchange, check]) expect(await isRunning(pid)).toBe(false)
})

it('says what a program said that ended before it was ready', async () => {
  const args = ['-e', 'console.error("no such thing"); process.exit(1)']
  const failing = nodeProcess({ name: 'failing', args, isReady: () => Promise.resolve(false) })

  await expect(failing.restart()).rejects.toThrow(/failing ended before it was ready:\s+no such thing/)
})
