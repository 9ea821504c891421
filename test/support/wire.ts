import { createFileRegistry, type DescField, type DescMessage, type DescMethod, fromBinary, type JsonValue, toJson } from '@bufbuild/protobuf'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { image } from '#libs/wire/gen/image.js'

// Requests as the descriptors have them, and bytes that no client of ours would send: suites that must know of every
// method and every field are made from here, so that a new one can't be forgotten.

/** A value decides how it is written: text and bytes by length, a number as a varint, whatever the field should be. */
export type Wire = string | number | bigint | Buffer | readonly Wire[] | WireMessage

/** Fields by their names in the proto; the entries of a map by key. */
export type WireMessage = { readonly [field: string]: Wire }

const isMessage = (value: Wire): value is WireMessage => typeof value === 'object' && !Array.isArray(value) && !Buffer.isBuffer(value)

export function encode(desc: DescMessage, message: WireMessage): Buffer {
  const writer = new BinaryWriter()
  for (const [name, value] of Object.entries(message)) {
    const field = fieldOf(desc, name)
    if (field.fieldKind === 'map' && isMessage(value)) writeMap(writer, field, value)
    else for (const one of Array.isArray(value) ? value : [value]) write(writer, field, one)
  }
  return Buffer.from(writer.finish())
}

export function fieldOf(desc: DescMessage, name: string): DescField {
  const field = desc.fields.find((one) => one.name === name)
  if (!field) throw new Error(`${desc.typeName} has no field ${name}`)
  return field
}

function write(writer: BinaryWriter, field: DescField, value: Wire): void {
  if (typeof value === 'string') writer.tag(field.number, WireType.LengthDelimited).string(value)
  else if (Buffer.isBuffer(value)) writer.tag(field.number, WireType.LengthDelimited).bytes(value)
  else if (isMessage(value)) writer.tag(field.number, WireType.LengthDelimited).bytes(encode(messageOf(field), value))
  else if (typeof value === 'number' || typeof value === 'bigint') writer.tag(field.number, WireType.Varint).int64(BigInt(value))
  else throw new Error(`${field.name} is no list of lists`)
}

function writeMap(writer: BinaryWriter, field: DescField, entries: WireMessage): void {
  for (const [key, value] of Object.entries(entries)) {
    const entry = new BinaryWriter().tag(1, WireType.LengthDelimited).string(key)
    if (isMessage(value)) entry.tag(2, WireType.LengthDelimited).bytes(encode(messageOf(field), value))
    writer.tag(field.number, WireType.LengthDelimited).bytes(entry.finish())
  }
}

export function messageOf(field: DescField): DescMessage {
  if (!field.message) throw new Error(`${field.name} is no message`)
  return field.message
}

/** A leaf of a request: the names and indexes that lead to it. */
export type Path = readonly (string | number)[]

/** As violations name it: `roles[0].end_time`. */
export const nameOf = (path: Path): string =>
  path.map((step, place) => (typeof step === 'number' ? `[${step}]` : `${place === 0 ? '' : '.'}${step}`)).join('')

/** The fields that lead to the leaf, without indexes: `roles.end_time`. */
export const fieldPathOf = (path: Path): string => path.filter((step) => typeof step === 'string').join('.')

export function at(value: Wire, path: Path): Wire | undefined {
  const [step, ...rest] = path
  if (step === undefined) return value
  const inner = Array.isArray(value) ? value[Number(step)] : isMessage(value) ? value[step] : undefined
  return inner === undefined ? undefined : at(inner, rest)
}

/** The request with another value at the path. */
export function changed(request: WireMessage, path: Path, value: Wire): WireMessage {
  const [step, ...rest] = path
  if (step === undefined) throw new Error('a path has a step')
  const inner = request[step]
  return { ...request, [step]: rest.length === 0 ? value : changedInside(inner, rest, value) }
}

function changedInside(inner: Wire | undefined, path: Path, value: Wire): Wire {
  const [step, ...rest] = path
  if (Array.isArray(inner) && typeof step === 'number') return inner.with(step, rest.length === 0 ? value : changedInside(inner[step], rest, value))
  if (inner !== undefined && isMessage(inner)) return changed(inner, path, value)
  throw new Error(`there is nothing at ${nameOf(path)}`)
}

export type Leaf = { readonly path: Path; readonly parent: DescMessage; readonly field: DescField }

/** Everything in a request that is no message: text, numbers, enum values; a Timestamp, a Value and a map count as one. */
export function leavesOf(desc: DescMessage, request: WireMessage, prefix: Path = []): Leaf[] {
  return Object.entries(request).flatMap(([name, value]) => {
    const field = fieldOf(desc, name)
    const path = [...prefix, name]
    const values = Array.isArray(value) ? value.map((one, index) => ({ one, path: [...path, index] })) : [{ one: value, path }]
    return values.flatMap(({ one, path: place }) =>
      isMessage(one) && !isWhole(field) ? leavesOf(messageOf(field), one, place) : [{ path: place, parent: desc, field }])
  })
}

/** The paths of all leaves that a message can have, each as fieldPathOf says it. */
export function declaredLeaves(desc: DescMessage, prefix = ''): { readonly path: string; readonly parent: DescMessage; readonly field: DescField }[] {
  return desc.fields.flatMap((field) => {
    const path = `${prefix}${field.name}`
    return field.message && !isWhole(field) ? declaredLeaves(field.message, `${path}.`) : [{ path, parent: desc, field }]
  })
}

const WHOLE = ['google.protobuf.Timestamp', 'countersign.rules.v1.Value']

const isWhole = (field: DescField): boolean => field.fieldKind === 'map' || WHOLE.includes(field.message?.typeName ?? '')

export type Method = { readonly path: string; readonly service: string; readonly name: string; readonly desc: DescMethod }

const descriptors = createFileRegistry(fromBinary(FileDescriptorSetSchema, image))

/** Every method of this product, in the order of the protos. */
export const METHODS: readonly Method[] = [...descriptors]
  .flatMap((desc) => (desc.kind === 'service' && desc.typeName.startsWith('countersign.') ? desc.methods : []))
  .map((desc) => ({ path: `/${desc.parent.typeName}/${desc.name}`, service: desc.parent.name, name: `${desc.parent.name}.${desc.name}`, desc }))

export function methodNamed(name: string): Method {
  const method = METHODS.find((one) => one.name === name)
  if (!method) throw new Error(`there is no ${name}`)
  return method
}

/** Of a port that only services may use. */
export const isInternal = ({ service }: Pick<Method, 'service'>): boolean => service.endsWith('InternalService') || service === 'ChangeFeedService'

export const PUBLIC_METHODS = METHODS.filter((method) => !isInternal(method))
export const INTERNAL_METHODS = METHODS.filter(isInternal)

export const answerOf = ({ desc }: Method, bytes: Uint8Array): JsonValue => toJson(desc.output, fromBinary(desc.output, bytes))
