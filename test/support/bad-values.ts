import type { DescField, DescMessage } from '@bufbuild/protobuf'
import type { Wire } from './wire.js'

// What is wrong in a field, for every field of every public request. A field that is not here fails test/house/bad-input.

const ID = '019fda00-aaaa-7bbb-8ccc-ddddeeeeffff'

/** Half of a surrogate pair as UTF-8 would have it, a byte that begins nothing, and an overlong `a`. */
const NOT_UTF8 = [Buffer.from([0xed, 0xa0, 0x80]), Buffer.from([0x61, 0xff]), Buffer.from([0xc1, 0xa1])]

/** The same in the eyes of somebody, or once trimmed, folded, normalised, or decoded. */
const LOOKALIKES = [
  ID.toUpperCase(),
  ID.replace('a', 'A'),
  ID.replace('0', '\uff10'),
  ID.replace('a', '\u0430'),
  ID.replace('a', 'a\u0301'),
  ID.replace('0', 'O'),
  ID.replaceAll('-', '\u2010'),
  ID.replaceAll('-', ''),
  ` ${ID}`,
  `${ID} `,
  `${ID}\n`,
  `${ID}\0`,
  `${ID}\u200b`,
  `\ufeff${ID}`,
  `{${ID}}`,
  `urn:uuid:${ID}`,
  `${ID}0`,
  ID.slice(0, -1),
]
const OTHER_IDS = [
  '00000000-0000-0000-0000-000000000000',
  '5f0c2f6e-3d1b-4c6e-9a51-0d9f1a2b3c4d',
  ID.replace('-8ccc', '-cccc'),
  '../etc/passwd',
  "' or true --",
  '*',
  'null',
]

const optional = (...bad: Wire[]): Wire[] => [...bad, ...NOT_UTF8]
const required = (...bad: Wire[]): Wire[] => ['', ...optional(...bad)]

const ids = [...LOOKALIKES, ...OTHER_IDS]
/** `\u212a`, the Kelvin sign, is a `k` to whoever ignores case; `\u017f` is an `s`. */
const foreign = ['\u212aelvin', 'ba\u017fe', '\uff41bc', 'b\u200bad', '\u202ebad', 'bäd']
const spellings = [...foreign, ' ', 'bad ', ' bad', 'bad\n', 'ba\td', 'bad\0', 'bad!', 'x'.repeat(65)]
const displayNames = spellings
const principalNames = [...foreign, ' ', 'bad ', ' bad', 'bad\n', 'ba\td', 'bad\0', 'x'.repeat(513)]
const base64 = (text: string): string => Buffer.from(text).toString('base64url')
const roleNames = [...spellings, 'Admin', 'ADMIN', '1st', '-x', 'a_b', 'a.b', 'a b']
const words = [...spellings, 'Read', 're*d', '**', 'a/b', 'a b']
const texts = (limit: number): Wire[] => optional('x'.repeat(limit + 1), 'a\0b', 'a\u001b[31mb', 'a\u007fb', 'a\u009bb')
const wholes = (max: number): Wire[] => [-1, -2_147_483_648, max + 1, 2_147_483_647].filter((one, place, all) => all.indexOf(one) === place)
const enums = (count: number): Wire[] => [0, count + 1, 99, -1, 2_147_483_647]
const times = [-1, 253_402_300_800, -62_135_596_801, Number.MAX_SAFE_INTEGER].map((seconds) => ({ seconds, nanos: 0 }))

const POSITION = 'registry.0.3f6c2f9a1b0e4d57.42'
const revisions = [
  ...['x', 'registry', 'registry.0.3f6c2f9a1b0e4d57', 'registry.0.3f6c2f9a1b0e4d57.', `${POSITION}x`, `${POSITION}\n`, ` ${POSITION}`],
  ...[`${POSITION},`, `,${POSITION}`, `${POSITION}, ${POSITION}`, `${POSITION};${POSITION}`, POSITION.toUpperCase(), POSITION.replace('f', 'F')],
  ...[POSITION.replace('registry', 'feed'), POSITION.replace('.0.', '.-1.'), POSITION.replace('.0.', '..'), POSITION.replace('.0.', '.10000.')],
  ...[POSITION.replace('3f', '3'), POSITION.replace('3f', '3ff'), `${POSITION}.1`, POSITION.replace('42', '-42'), POSITION.replace('42', '4e2')],
  ...[POSITION.replace('42', '4'.repeat(16)), POSITION.replace('42', '\uff14'), Array.from({ length: 65 }, () => POSITION).join(), 'x'.repeat(4097)],
]
/** What some parser takes for an address: octal, hexadecimal, short, zoned, with a port, with bits behind its prefix, a name. */
const addresses = [
  ...['010.0.0.1', '0x0a.0.0.1', '10.1', '167772161', 'fe80::1%eth0', '10.0.0.1:80', '[::1]', 'localhost', ' 10.0.0.1', '10.0.0.1 ', '10.0.0.1\n', '10.0.0.\uff11'],
  ...['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/08', '10.0.0.0/', '10.0.0.1/8', '::/129', '::1/64', '10.0.0.0/8/8', '10.0.0.0-10.0.0.9', '10.0.0.*', '*', '::ffff:10.0.0.0/95'],
]
const urls = [
  ...['http://a.example', 'a.example', 'https://', 'https:a.example', 'HTTPS://a.example', 'https://A.example', 'https://a.example:443', 'https://a.example/../b', 'https://a@b.example', 'https://a:b@c.example'],
  ...['https://a.example#b', 'file:///etc/passwd', 'https://127.1', 'https://2130706433', 'https://[::ffff:127.0.0.1]', ' https://a.example', 'https://a.example\n', 'https://\u0430.example', `https://a.example/${'x'.repeat(512)}`],
]
const certificates = ['x', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 'x'.repeat(32_769)]
const exact = ['a b', ' a', 'a\n', 'a\0', 'b\u200bad', 'b\u00e4d', 'x'.repeat(513)]
const globs = ['{', 'a}', '{a{b}}', 'a\\', 'x'.repeat(513), 'a\0b', 'a\nb']
/** Credentials are refused as such, but for what can't be one. */
const credentials = ['', 'x'.repeat(4097)]

/** Beyond what is exact in a number of JavaScript: not a message at all. */
export const UNREADABLE_TIMES: readonly Wire[] = [2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)].map((seconds) => ({ seconds, nanos: 0 }))

const BAD_VALUES: Readonly<Record<string, readonly Wire[]>> = {
  id: required(...ids),
  method: required(...spellings, 'universal', 'Universal-Auth', 'universal_auth'),
  identity_id: required(...ids),
  'ListBindingsRequest.identity_id': optional(...ids),
  'ListPrincipalsRequest.identity_id': optional(...ids),
  'ListAccessTokensRequest.identity_id': optional(...ids),
  'ListAuditEventsRequest.identity_id': optional(...ids),
  target_id: optional(...ids),
  token_id: required(...ids),
  client_id: required(...ids),
  project_id: optional(...ids),
  etag: optional(...ids),
  // Output only: whatever a caller writes there means nothing.
  'BoundRole.role_id': [],

  name: required(...displayNames),
  'ListProjectsRequest.name': optional(...displayNames),
  'ListIdentitiesRequest.name': optional(...displayNames),
  'CreatePrincipalRequest.name': required(...principalNames),
  'CreateRoleRequest.name': required(...roleNames),
  'CreateIdentityRequest.role': optional(...roleNames),
  'BoundRole.role': required(...roleNames),
  'CreateRoleRequest.description': texts(500),
  'UpdateRoleRequest.description': texts(500),
  'CreateClientSecretRequest.description': texts(200),

  page_size: wholes(200),
  page_token: optional('x', '=', `${base64(ID)}=`, `${base64(ID)} `, base64(ID.toUpperCase()), base64(`${ID}x`), '+/+/', 'x'.repeat(5000)),
  ttl_seconds: wholes(315_360_000),
  overlap_seconds: wholes(2_592_000),
  wrap_ttl_seconds: wholes(86_400),
  use_limit: wholes(1_000_000_000),
  access_token_ttl_seconds: wholes(7_776_000),
  access_token_max_ttl_seconds: wholes(7_776_000),
  access_token_use_limit: wholes(1_000_000_000),
  access_token_period_seconds: wholes(7_776_000),
  cidrs: required(...addresses),
  // Any value of a boolean is one.
  'Lockout.enabled': [],
  'Lockout.threshold': [0, ...wholes(30)],
  'Lockout.duration_seconds': [0, 29, ...wholes(86_400)],
  'Lockout.counter_reset_seconds': [0, 4, ...wholes(3_600)],
  start_time: times,
  end_time: times,

  effect: enums(2),
  operator: enums(8),
  resources: required(...words),
  actions: required(...words),
  attribute: required(...words),
  values: [{}, ...['', 'x'.repeat(1001), 'a\0b', ...NOT_UTF8].map((text) => ({ string_value: text })), { ip_value: '10.0.0.1' }, { list_value: {} }],

  action: required(...words),
  'ListAuditEventsRequest.action': optional(...spellings, 'createBinding', 'Create_Binding', 'Create Binding', '1st'),
  target_type: optional(...words),
  type: required(...words),
  access_token: credentials,
  source_address: optional(...addresses),
  at_least: required(...revisions),
  revision: required(...revisions),
  client_secret: credentials,
  wrapping_token: credentials,
  jwt: ['', 'x'.repeat(8_193)],

  host: required(...urls),
  jwks_url: optional(...urls),
  ca_certificate: optional(...certificates),
  public_keys: required(...certificates, '{}', '{"kty":"oct","k":"c2VjcmV0"}'),
  reviewer_token: optional('secret', 'a.b', 'e30.e30.c2ln=', ' e30.e30.c2ln', 'e30.e30.c2ln\r\nx: y'),
  // Any value of a boolean is one.
  has_reviewer_token: [],
  issuer: required(...exact),
  'OidcAuth.issuer': required(...exact, ...urls, 'https://issuer.example?tenant=a'),
  audiences: required(...exact),
  subject: optional(...globs),
  namespaces: required(...globs),
  names: required(...globs),
  globs: required(...globs),
  path: required('.', 'a..b', 'a.', '.a', 'a\\b', 'a\\', 'x'.repeat(257), 'a\0b'),
  max_assertion_life_seconds: wholes(31_536_000),
}

/** How many of a list there may be. */
const COUNTS: Readonly<Record<string, readonly [min: number, max: number]>> = {
  roles: [1, 20],
  rules: [0, 100],
  resources: [1, 50],
  actions: [1, 50],
  conditions: [0, 20],
  values: [1, 100],
  cidrs: [1, 100],
  audiences: [1, 16],
  namespaces: [1, 100],
  names: [1, 100],
  globs: [1, 100],
  bound_claims: [0, 16],
  public_keys: [0, 10],
}

const lookUp = <T>(table: Readonly<Record<string, T>>, parent: DescMessage, field: DescField): T | undefined =>
  table[`${parent.name}.${field.name}`] ?? table[field.name]

/** Undefined where nobody has said it yet. A map has its own suite. */
export const badValuesOf = (parent: DescMessage, field: DescField): readonly Wire[] | undefined =>
  field.fieldKind === 'map' ? [] : lookUp(BAD_VALUES, parent, field)

export const countsOf = (parent: DescMessage, field: DescField): readonly [min: number, max: number] | undefined => lookUp(COUNTS, parent, field)

const OPTIONAL_MESSAGES = ['google.protobuf.Timestamp', 'countersign.authorization.v1.Consistency', 'countersign.exchange.v1.TrustedIps', 'countersign.exchange.v1.Lockout']

const OPTIONAL_ONEOFS = ['UpdateAuthMethodRequest.configuration']

/** Whether a request without it is refused: a oneof and a single message by their place, the rest by what is bad in it. */
export function isRequired(parent: DescMessage, field: DescField): boolean {
  if (field.fieldKind === 'list') return (countsOf(parent, field)?.[0] ?? 0) > 0
  if (field.oneof && OPTIONAL_ONEOFS.includes(`${parent.name}.${field.oneof.name}`)) return false
  if (field.fieldKind === 'message') return !OPTIONAL_MESSAGES.includes(field.message.typeName)
  return badValuesOf(parent, field)?.some((value) => value === '' || (value === 0 && field.fieldKind === 'enum')) ?? false
}
