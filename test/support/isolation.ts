import { ScalarType } from '@bufbuild/protobuf'
import { systemClock } from '#libs/clock.js'
import { createIds, isId } from '#libs/ids.js'
import { answerOf, at, changed, declaredLeaves, leavesOf, type Leaf, type Method, nameOf, type Path, type WireMessage } from './wire.js'
import { type Outcome, richStatusOf } from './raw-calls.js'
import { pageTokenAfter } from './request-builder.js'

// Organization A asks about things of organization B and about things that exist nowhere, and may not be able to tell.

/**
 * Text that names nothing, or nothing that is anybody's: how far the feeds are is the same number for all. Every other text
 * of a request names something, until it is said here that it does not.
 */
const NAMES_NOTHING = new Set(['method', 'description', 'target_type', 'action', 'type', 'resource', 'resources', 'actions', 'attribute', 'values', 'cidrs', 'source_address', 'epoch', 'feed', 'revision', 'at_least',
  // Of the configuration of an auth method: places and names outside of Countersign.
  ...['host', 'ca_certificate', 'audiences', 'namespaces', 'names', 'reviewer_token', 'issuer', 'subject', 'path', 'globs', 'jwks_url', 'public_keys', 'jwt']])

/** What something is called that is looked up by nobody. */
const LABELS = new Set(['CreateAccessTokenRequest.name', 'UpdateAccessTokenRequest.name'])

const TEXT: readonly (ScalarType | undefined)[] = [ScalarType.STRING, ScalarType.BYTES]

const namesSomething = ({ parent, field }: Pick<Leaf, 'parent' | 'field'>): boolean =>
  field.fieldKind !== 'map' && TEXT.includes(field.scalar) && !NAMES_NOTHING.has(field.name) && !LABELS.has(`${parent.name}.${field.name}`)

/** The fields of a request that name something, as `roles.role_id`. */
export const namingFields = ({ desc }: Method): string[] => declaredLeaves(desc.input).filter(namesSomething).map(({ path }) => path)

/** Where a request names something. */
export const namingPaths = ({ desc }: Method, request: WireMessage): Path[] =>
  leavesOf(desc.input, request).filter(namesSomething).map(({ path }) => path)

/** Things that exist nowhere, each shaped as the thing of B that it stands for. */
export type Nowhere = (path: Path, thing: string) => readonly string[]

/** An id that was given to nobody, and that sorts next to the one that was. */
export const neighbour = (id: string): string => `${id.slice(0, -1)}${(parseInt(id.slice(-1), 16) ^ 1).toString(16)}`

const ids = createIds(systemClock)
export const anyId = (): string => ids.next()

/** For whatever is no credential. */
export const nowhere: Nowhere = (path, thing) => {
  if (isId(thing)) return [neighbour(thing)]
  return path.at(-1) === 'page_token' ? [pageTokenAfter(neighbour(Buffer.from(thing, 'base64url').toString()))] : [`${thing}x`]
}

/** Some places of a request with other things in them. */
export type Probe = { readonly name: string; readonly things: readonly (readonly [Path, string])[] }

export function textAt(request: WireMessage, path: Path): string {
  const value = at(request, path)
  if (typeof value !== 'string') throw new Error(`${nameOf(path)} is no text`)
  return value
}

/** One probe for each place that names something, and one for all of them at once: what B itself would send. */
export function probesOf(method: Method, ofB: WireMessage): Probe[] {
  const things = namingPaths(method, ofB).map((path) => [path, textAt(ofB, path)] as const)
  const each = things.map((thing) => ({ name: nameOf(thing[0]), things: [thing] }))
  return things.length > 1 ? [...each, { name: 'all of it', things }] : each
}

/** The same places with things that exist nowhere: as many probes as there are ways not to exist. */
export function counterparts({ name, things }: Probe, shaped: Nowhere): Probe[] {
  const ways = Math.max(...things.map(([path, thing]) => shaped(path, thing).length))
  return Array.from({ length: ways }, (_none, way) => ({
    name,
    things: things.map(([path, thing]) => [path, shaped(path, thing)[way] ?? shaped(path, thing)[0] ?? ''] as const),
  }))
}

export const probed = (request: WireMessage, { things }: Probe): WireMessage =>
  things.reduce((so, [path, thing]) => changed(so, path, thing), request)

/** How many changes everybody made so far, which goes on from one call to the next. */
const REVISION = /(registry|exchange)\.0\.([0-9a-f]{16})\.[1-9][0-9]*/g

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g

export type Told = { readonly raw: string; readonly text: string }

/** All that the caller is told, with what it named itself as `<asked>`, every other id as `<id>` and every revision without its number. */
export function told(method: Method, outcome: Outcome, { things }: Probe): Told {
  const { code, details, answer } = outcome
  const trailers = Object.entries(outcome.trailers.toJSON()).filter(([name]) => !['date', 'grpc-status-details-bin'].includes(name))
  const said = { code, details, trailers, rich: richStatusOf(outcome), answer: answer && answerOf(method, answer) }
  // The longest first: the name of one thing may begin with that of another.
  const asked = things.map(([, thing]) => thing).sort((one, other) => other.length - one.length)
  const raw = asked.reduce((text, thing) => text.replaceAll(thing, '<asked>'), JSON.stringify(said))
  return { raw, text: raw.replaceAll(UUID, '<id>').replaceAll(REVISION, '$1.0.$2.<number>') }
}

/** What gives B away: an answer about it that differs from one about nothing, or that says something of it. */
export function leaks(aboutB: Told, aboutNothing: readonly Told[], marksOfB: readonly string[]): string[] {
  const differing = aboutNothing.filter(({ text }) => text !== aboutB.text)
  const differences = differing.map(({ text }) => `${aboutB.text}\n  is told of B, but of nothing\n  ${text}`)
  return [...differences, ...marksOfB.filter((mark) => aboutB.raw.includes(mark)).map((mark) => `${mark} of B is in ${aboutB.raw}`)]
}
