import { type DescMessage, ScalarType } from '@bufbuild/protobuf'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { badValuesOf, countsOf, isRequired } from './bad-values.js'
import { at, changed, encode, type Leaf, leavesOf, type Method, nameOf, type Path, type Wire, type WireMessage } from './wire.js'

// Requests that are wrong somewhere, made from valid ones, with what has to be said of each.

export type Bad = { readonly what: string; readonly request: WireMessage; readonly isNamed: (refused: readonly string[]) => boolean }

const valuesFor = ({ parent, field }: Leaf): readonly Wire[] => badValuesOf(parent, field) ?? []

function shown(value: Wire): string {
  if (Buffer.isBuffer(value)) return `bytes ${value.toString('hex')}`
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? `${inner}` : inner)).slice(0, 60)
}

// A wrong start also makes a window wrong, which is said of its end; how many values there may be is the operator's to say.
const ALSO = new Map([['start_time', 'end_time'], ['operator', 'values']])

/** The request with one wrong field; bytes that are no text may be refused as a whole. */
function wrongAt(request: WireMessage, { path, field }: Leaf, value: Wire): Bad {
  const also = ALSO.get(field.name)
  const name = nameOf(path)
  const permitted = [name, ...(also === undefined ? [] : [nameOf([...path.slice(0, -1), also])])]
  return {
    what: `${name} = ${shown(value)}`,
    request: changed(request, path, value),
    isNamed: (refused) =>
      (Buffer.isBuffer(value) && refused.join() === 'request') || (refused.includes(name) && refused.every((one) => permitted.includes(one))),
  }
}

/** Every bad value of every field, one at a time. */
export const oneWrong = ({ desc }: Method, request: WireMessage): Bad[] =>
  leavesOf(desc.input, request).flatMap((leaf) => valuesFor(leaf).map((value) => wrongAt(request, leaf, value)))

/** As many requests as the field with the most bad values has, every field wrong in each. */
export function allWrong({ desc }: Method, request: WireMessage): Bad[] {
  const leaves = leavesOf(desc.input, request)
    .map((leaf) => ({ leaf, values: valuesFor(leaf).filter((value) => !Buffer.isBuffer(value)) }))
    .filter(({ values }) => values.length > 0)
  const names = leaves.map(({ leaf }) => nameOf(leaf.path))
  const ways = Math.max(0, ...leaves.map(({ values }) => values.length))
  return Array.from({ length: ways }, (_none, way) => ({
    what: `all of it wrong, the ${way}. way`,
    request: leaves.reduce((so, { leaf, values }) => changed(so, leaf.path, values[way % values.length] ?? ''), request),
    isNamed: (refused) => names.every((name) => refused.includes(name)),
  }))
}

/** The lists of a request with too few and too many in them. */
export function wrongCounts(desc: DescMessage, request: WireMessage, prefix: Path = []): Bad[] {
  return desc.fields.flatMap((field) => {
    const path = [...prefix, field.name]
    const list = at(request, path)
    if (field.fieldKind !== 'list' || !Array.isArray(list)) return []
    const counts = countsOf(desc, field)
    if (!counts) throw new Error(`say in test/support/bad-values.ts how many ${nameOf(path)} there may be`)
    const inside = field.listKind === 'message' ? wrongCounts(field.message, request, [...path, 0]) : []
    const [min, max] = counts
    const wrong: Wire[][] = [...(min > 0 ? [[]] : []), Array.from({ length: max + 1 }, () => list[0] ?? '')]
    return [...inside, ...wrong.map((value) => ({
      what: `${nameOf(path)} with ${value.length}`,
      request: changed(request, path, value),
      isNamed: (refused: readonly string[]) => refused.includes(nameOf(path)),
    }))]
  })
}

const otherType = (scalar: ScalarType | undefined): Wire => (scalar === undefined || scalar === ScalarType.STRING ? 7 : 'text')

/** The request with a required field that is written as another type. */
export const wrongTypes = ({ desc }: Method, request: WireMessage): Bad[] =>
  leavesOf(desc.input, request)
    .filter(({ path, parent, field }) => typeof path.at(-1) === 'string' && isRequired(parent, field) && field.oneof === undefined)
    .map((leaf) => wrongAt(request, leaf, otherType(leaf.field.enum ? ScalarType.INT32 : leaf.field.scalar)))

/** The fields without which a request is refused, as violations name them. */
export const requiredFields = ({ desc: { input } }: Method): string[] =>
  [...new Set(input.fields.filter((field) => isRequired(input, field)).map((field) => field.oneof?.name ?? field.name))].sort()

/** Messages in which no field of the request is: none at all, some that nobody knows, and its own ones as other types. */
export function withoutFields({ desc: { input } }: Method): Uint8Array[] {
  const unknown = new BinaryWriter().tag(1000, WireType.LengthDelimited).string('x').tag(1001, WireType.Varint).int64(1)
  const confused = Object.fromEntries(input.fields.map((field) => [field.name, otherType(field.scalar)]))
  return [Buffer.alloc(0), unknown.tag(1002, WireType.Bit64).fixed64(1).finish(), encode(input, confused)]
}

/** Bytes that are no message of any type. */
export const NO_MESSAGES: readonly (readonly [string, Buffer])[] = [
  ['a length beyond the end', Buffer.from([0x0a, 0x7f, 0x61])],
  ['a length of 2 GiB', Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x07])],
  ['a field without a value', Buffer.from([0x0a])],
  ['a varint without an end', Buffer.alloc(12, 0xff)],
  ['half of a fixed64', Buffer.from([0x09, 0x01])],
  ['a wire type that there is not', Buffer.from([0x0f, 0x01])],
  ['groups without an end', Buffer.alloc(300, 0x0b)],
  ['text', Buffer.from('{"id": "019fda00-aaaa-7bbb-8ccc-ddddeeeeffff"}')],
]
