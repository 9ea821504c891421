import { randomBytes } from 'node:crypto'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { connect as connectPlainly, createServer } from 'node:net'
import { join } from 'node:path'
import { Redis as Client } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from '#libs/env.js'
import { createLog } from '#libs/log.js'
import { type RedisConfig, redisPlace } from '#libs/redis/place.js'
import { redisOf } from '#libs/redis/redis-of.js'
import type { KeyValueStore } from '#libs/redis/key-value.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { type CertificateAuthority, certificateAuthority, type Files } from '../support/certificate-authority.js'
import { type Daemon, startDaemon } from '../support/daemon.js'
import { redisForTests } from '../support/redis.js'
import { until } from '../support/running-processes.js'
import { scratchDirectory } from '../support/scratch-directory.js'
import { stablePort } from '../support/stable-port.js'
import { startSystem } from '../support/system.js'
import { AT_ONCE_MILLIS, keepsAgain, listening, newKey, PATIENTLY, reads } from './trouble.js'

// Redis by TLS. One that is not who it should be is none: nothing is said to it, and everything is answered without it.

let scratch: Awaited<ReturnType<typeof scratchDirectory>>
let ours: CertificateAuthority
let others: CertificateAuthority
let redis: Daemon
let port = 0
let files: Files
const password = randomBytes(16).toString('base64url')
const said: string[] = []
const log = createLog({ service: 'tls', level: 'info', destination: { write: (line) => void said.push(line) } })

beforeAll(async () => {
  scratch = await scratchDirectory()
  ours = await certificateAuthority(scratch.path, 'ours')
  others = await certificateAuthority(scratch.path, 'others')
  files = await ours.issue('redis', ['DNS:localhost'])
  port = await stablePort()
  const folder = join(scratch.path, 'redis-tls')
  await mkdir(folder)
  const configuration = [
    ...['bind 127.0.0.1', 'port 0', `tls-port ${port}`, `requirepass ${password}`, 'save ""'],
    ...[`tls-cert-file ${files.certificateFile}`, `tls-key-file ${files.keyFile}`, `tls-ca-cert-file ${ours.caFile}`, 'tls-auth-clients no'],
  ]
  await writeFile(join(folder, 'redis.conf'), configuration.join('\n'))
  redis = await startDaemon({ command: [await redisForTests(), join(folder, 'redis.conf')], cwd: folder, ready: /Ready to accept connections/ })
})
afterAll(async () => {
  await redis.stop()
  await scratch.remove()
})

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
  said.length = 0
})

const at = (host = 'localhost') => `rediss://:${password}@${host}:${port}`

function connect(config: RedisConfig): KeyValueStore {
  const store = redisOf({ REDIS_URL: at(), ...config }, log)
  if (!store) throw new Error('no store')
  undo.push(() => store.close())
  return store
}

async function connected(config: RedisConfig): Promise<KeyValueStore> {
  const store = connect(config)
  await until(async () => store.isUp())
  return store
}

/** Does things to the server that the product would not. */
async function administered(work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ port, host: 'localhost', password, tls: { rejectUnauthorized: false } })
  await work(client)
  client.disconnect()
}

/** It is down, which costs nothing, and is said why. */
async function isDoneWithout(store: KeyValueStore, why: string): Promise<void> {
  await until(async () => !store.isUp())
  expect(Math.max(...(await reads(store, newKey(), 20)))).toBeLessThan(AT_ONCE_MILLIS)
  await until(async () => said.length > 0)
  expect(store.isUp()).toBe(false)
  expect(said[0]).toContain('Redis does not answer: everything is asked of its owner')
  expect(said[0]).toContain(why)
  expect(said.join()).not.toContain(password)
}

describe('a Redis that is known by a CA', PATIENTLY, () => {
  it('keeps, finds and tells', async () => {
    const store = await connected({ REDIS_CA_FILE: ours.caFile })
    await keepsAgain(store)
    await listening(store)()
  })

  // Seen to fail, each of the next three, with rejectUnauthorized: false in libs/store-tls.ts.
  it('is not believed with a certificate by another CA', async () => {
    await isDoneWithout(connect({ REDIS_CA_FILE: others.caFile }), 'its certificate is not trusted')
  })

  it('is not believed with a certificate for another host', async () => {
    await isDoneWithout(connect({ REDIS_URL: at('127.0.0.1'), REDIS_CA_FILE: ours.caFile }), 'its certificate is not for the host that was to be reached')
  })

  it('is not believed by the public CAs where none is given', async () => {
    await isDoneWithout(connect({}), 'its certificate is not trusted')
  })

  it('may know us by a certificate too', async () => {
    await administered((client) => client.config('SET', 'tls-auth-clients', 'yes'))
    const { certificateFile, keyFile } = await ours.issue('client', ['DNS:client'])
    const shown = { REDIS_CA_FILE: ours.caFile, REDIS_CERTIFICATE_FILE: certificateFile, REDIS_KEY_FILE: keyFile }
    undo.push(async () => {
      const place = redisPlace({ REDIS_URL: at(), ...shown }, log)
      const client = new Client(at(), { ...(place?.tls && { tls: place.tls }) })
      await client.config('SET', 'tls-auth-clients', 'no')
      client.disconnect()
    })
    await keepsAgain(await connected(shown))
    expect(Math.max(...(await reads(connect({ REDIS_CA_FILE: ours.caFile }), newKey(), 20)))).toBeLessThan(AT_ONCE_MILLIS)
  })

  // Seen to fail with the files read once.
  it('that changes its CA is believed as soon as the file says so', async () => {
    const REDIS_CA_FILE = join(scratch.path, 'replaced.pem')
    await copyFile(ours.caFile, REDIS_CA_FILE)
    const store = await connected({ REDIS_CA_FILE })
    const foreign = await others.issue('foreign', ['DNS:localhost'])
    const show = ({ certificateFile, keyFile }: Files) => administered((client) => client.call('CONFIG', 'SET', 'tls-cert-file', certificateFile, 'tls-key-file', keyFile))
    undo.push(() => show(files))
    await show(foreign)
    await administered((client) => client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'))
    await isDoneWithout(store, 'its certificate is not trusted')
    await copyFile(others.caFile, REDIS_CA_FILE)
    await keepsAgain(store)
  })
})

// Seen to fail with the connectors of ioredis: the second error of the socket is heard by nobody, and ends the process.
it('one that is not believed and then breaks off in disorder does no harm', async () => {
  let broken = 0
  const proxy = createServer((client) => {
    const server = connectPlainly({ port, host: '127.0.0.1' })
    for (const socket of [client, server]) socket.on('error', () => undefined)
    client.pipe(server)
    // With the end of the handshake comes what is no TLS.
    server.on('data', (chunk: Buffer) => (broken += 1, client.write(Buffer.concat([chunk, Buffer.alloc(64, 0xff)]))))
    server.on('close', () => client.destroy())
    client.on('close', () => server.destroy())
  })
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done))
  undo.push(() => proxy.close())
  const place = proxy.address()
  const store = connect({ REDIS_URL: at().replace(String(port), String(typeof place === 'object' ? place?.port : '')), REDIS_CA_FILE: others.caFile })
  await until(async () => broken > 5)
  expect(store.isUp()).toBe(false)
})

it('the whole system answers without a Redis that it does not believe', async () => {
  const environment = { REDIS_CA_FILE: others.caFile }
  const system = await startSystem({ redisUrl: at(), environment })
  undo.push(() => system.close())
  const admin = await system.session(system.admin)
  expect(await system.check(admin.token, 'read', 'identity')).toMatchObject({ allowed: true })
  await admin.exchange(Exchange.revokeAccessToken, { target: { $case: 'tokenId', value: admin.tokenId } })
  await expect(system.check(admin.token, 'read', 'identity')).rejects.toMatchObject({ kind: 'UNAUTHENTICATED' })
})

describe('a configuration is refused at start', () => {
  it.each([
    ['a CA beside plain text', () => ({ REDIS_URL: 'redis://localhost', REDIS_CA_FILE: ours.caFile }), 'REDIS_URL: must be rediss://'],
    ['a CA beside Sentinels in plain text', () => ({ REDIS_URL: 'redis+sentinel://localhost/main', REDIS_CA_FILE: ours.caFile }), 'REDIS_URL: must be rediss://'],
    ['a CA and no Redis', () => ({ REDIS_CA_FILE: ours.caFile }), 'REDIS_URL: must be rediss://'],
    ['a key without its certificate', () => ({ REDIS_URL: at(), REDIS_KEY_FILE: files.keyFile }), 'REDIS_CERTIFICATE_FILE: is missing'],
    ['a CA that is not there', () => ({ REDIS_URL: at(), REDIS_CA_FILE: '/nowhere.pem' }), "REDIS_CA_FILE, REDIS_CERTIFICATE_FILE, REDIS_KEY_FILE: the file of the CA can't be read"],
  ] as const)('with %s', (_what, config, problem) => {
    expect(() => redisPlace(config(), log)).toThrow(ConfigError)
    expect(() => redisPlace(config(), log)).toThrow(problem)
  })
})
