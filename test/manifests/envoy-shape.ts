import { existsSync } from 'node:fs'
import { join } from 'node:path'
import protobuf from 'protobufjs'
import { ROOT } from '../../deploy/manifests/targets.js'

// Whether Envoy knows what its configuration says, by Envoy's own protos, which come with gRPC's xDS package and are older than
// the Envoy that is deployed: what they know it knows. Values that break an annotation of theirs are not noticed.

const DEPENDENCIES = join(ROOT, 'node_modules/@grpc/grpc-js-xds/deps')
const FOLDERS = [...['envoy-api', 'googleapis', 'protoc-gen-validate', 'xds'].map((name) => join(DEPENDENCIES, name)), join(ROOT, 'node_modules/protobufjs')]
const PROTOS = [
  'envoy/config/bootstrap/v3/bootstrap.proto',
  'envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto',
  'envoy/extensions/filters/http/ext_authz/v3/ext_authz.proto',
  'envoy/extensions/filters/http/router/v3/router.proto',
  'envoy/extensions/upstreams/http/v3/http_protocol_options.proto',
]

function envoyProtos(): protobuf.Root {
  const root = new protobuf.Root()
  root.resolvePath = (_origin, target) => FOLDERS.map((folder) => join(folder, target)).find((path) => existsSync(path)) ?? target
  return root.loadSync(PROTOS, { keepCase: true })
}

const root = envoyProtos()

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const WRITTEN_AS_A_VALUE = /^google\.protobuf\.(?:Duration|BoolValue|U?Int(?:32|64)Value|DoubleValue|StringValue|Struct|Value)$/

/** What of a message, as it is written in YAML, its type does not know. */
export function problemsOfMessage(typeName: string, message: unknown, path = ''): string[] {
  if (!isObject(message)) return [`${path} is no ${typeName}`]
  const { '@type': url, ...fields } = { '@type': '', ...message }
  const name = typeName === 'google.protobuf.Any' ? url.replace('type.googleapis.com/', '') : typeName
  const type = lookup(name)
  if (!type) return [`${path}: there is no type ${name}`]
  return Object.entries(fields).flatMap(([key, value]) => {
    const field = type.fields[key]?.resolve()
    return field ? problemsOfField(field, value, `${path}.${key}`) : [`${path}.${key} is no field of ${name}`]
  })
}

function lookup(name: string): protobuf.Type | undefined {
  try {
    return root.lookupType(name)
  } catch {
    return undefined
  }
}

function problemsOfField(field: protobuf.Field, value: unknown, path: string): string[] {
  if (field.map) return isObject(value) ? Object.entries(value).flatMap(([key, one]) => problemsOfValue(field, one, `${path}.${key}`)) : [`${path} is no map`]
  if (field.repeated) return Array.isArray(value) ? value.flatMap((one, index) => problemsOfValue(field, one, `${path}.${index}`)) : [`${path} is no list`]
  return problemsOfValue(field, value, path)
}

const KINDS: Readonly<Record<string, string>> = { string: 'string', bool: 'boolean', double: 'number', float: 'number', uint32: 'number', int32: 'number', uint64: 'number', int64: 'number' }

function problemsOfValue(field: protobuf.Field, value: unknown, path: string): string[] {
  const { resolvedType, type } = field
  if (resolvedType instanceof protobuf.Enum) return typeof value === 'string' && value in resolvedType.values ? [] : [`${path}: ${JSON.stringify(value)} is no ${resolvedType.name}`]
  const messageType = resolvedType?.fullName.replace(/^\./, '')
  if (messageType === undefined) return typeof value === KINDS[type] ? [] : [`${path} is no ${type}`]
  if (messageType === 'google.protobuf.Duration') return typeof value === 'string' && /^\d+(\.\d+)?s$/.test(value) ? [] : [`${path} is no duration`]
  return WRITTEN_AS_A_VALUE.test(messageType) ? [] : problemsOfMessage(messageType, value, path)
}
