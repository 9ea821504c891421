// Generates libs/wire/gen from the protos: TypeScript by ts-proto, and image.ts, the descriptors that reflection serves.
// Skipped when neither the protos nor the generators changed since the last run.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = join(root, 'libs/wire/gen')
const stampFile = join(out, 'stamp')
const inputs = ['buf.yaml', 'buf.gen.yaml', 'package-lock.json', 'proto/generate.mjs']
const protos = readdirSync(join(root, 'proto'), { recursive: true }).filter((file) => file.endsWith('.proto')).sort()

const hash = createHash('sha256')
for (const file of [...inputs, ...protos.map((proto) => join('proto', proto))]) {
  hash.update(file).update('\0').update(readFileSync(join(root, file))).update('\0')
}
const stamp = hash.digest('hex')

if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
  const buf = join(root, 'node_modules/.bin/buf')
  const run = (...args) => execFileSync(buf, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  run('generate')
  const image = join(out, 'image.binpb')
  run('build', '-o', image, '--exclude-source-info', '--path', 'proto/countersign',
    '--path', 'node_modules/grpc-health-check/proto/health/v1/health.proto',
    '--path', 'node_modules/@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto',
    '--path', 'node_modules/@grpc/grpc-js-xds/deps/googleapis/google/rpc/status.proto',
    '--path', 'node_modules/@grpc/grpc-js-xds/deps/googleapis/google/rpc/error_details.proto',
    '--path', 'node_modules/@grpc/grpc-js-xds/deps/envoy-api/envoy/service/auth/v3/external_auth.proto')
  const base64 = readFileSync(image).toString('base64')
  writeFileSync(join(out, 'image.ts'), `/* eslint-disable */\nexport const image = Buffer.from('${base64}', 'base64')\n`)
  rmSync(image)
  writeFileSync(stampFile, stamp)
}
