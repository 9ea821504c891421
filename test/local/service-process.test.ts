import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { HealthCheckResponse_ServingStatus as Serving, HealthService } from '#libs/wire/gen/health/v1/health.js'
import { newSecrets } from '../../deploy/local/secrets.js'
import { serviceEnvironments } from '../../deploy/local/services.js'
import { callsTo } from '../support/calls.js'
import { mainOf, nodeProcess, type Process } from '../support/processes.js'
import { type ScratchDirectory, scratchDirectory } from '../support/scratch-directory.js'
import { stablePort } from '../support/stable-port.js'

let scratch: ScratchDirectory
let running: Process | undefined

beforeAll(async () => {
  scratch = await scratchDirectory()
})
afterAll(async () => {
  await running?.stop()
  await scratch.remove()
})

/** All that an authorization-check says which is alive and reaches nobody, until it is stopped. */
async function saidAt(level: string): Promise<string> {
  const file = join(scratch.path, level)
  writeFileSync(file, `${level}\n`)
  const port = await stablePort()
  const { check } = serviceEnvironments({ registryUrl: '', exchangeUrl: '', secrets: newSecrets() })
  const environment = { ...check, CHECK_PORT: String(port), REGISTRY_INTERNAL_ADDRESS: '127.0.0.1:1', EXCHANGE_INTERNAL_ADDRESS: '127.0.0.1:1', DRAIN_SECONDS: '0', LOG_LEVEL_FILE: file }
  const isAlive = async () => {
    const health = callsTo(`127.0.0.1:${port}`)
    const { status } = await health(HealthService.check, { service: 'liveness' }).catch(() => ({ status: Serving.UNKNOWN }))
    health.close()
    return status === Serving.SERVING
  }
  running = nodeProcess({ name: 'authorization-check', args: mainOf('authorization-check', 'source'), environment, isReady: isAlive })
  running.start()
  await running.ready()
  await running.stop()
  return running.output()
}

// docs/configuration.md promises NAME_FILE for every variable, and this one is read before all others.
it('a service logs as the file that LOG_LEVEL_FILE names says', async () => {
  expect(await saidAt('info')).toContain('authorization-check is ready')
  expect(await saidAt('silent')).toBe('')
}, 120_000)
