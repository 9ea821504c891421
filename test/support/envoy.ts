import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { expect } from 'vitest'
import { CheckRequest, CheckResponse, DeniedHttpResponse, AuthorizationService, type OkHttpResponse } from '#libs/wire/gen/envoy/service/auth/v3/external_auth.js'
import type { Calls } from './calls.js'

// The door as Envoy uses it: its own proto, its two ways to write headers, and the field of the answer that the generated
// code does not know.

export type Asked = {
  readonly extensions?: Readonly<Record<string, string>>
  readonly method?: string
  readonly path?: string
  readonly host?: string
  /** Several of one name are joined by commas, or written one by one where they are encoded raw. */
  readonly headers?: readonly (readonly [string, string | Buffer])[]
  readonly raw?: boolean
  readonly principal?: string
  /** The address of the client, as Envoy takes it; without one, as on a Unix socket. */
  readonly from?: string
}

export type Answered = CheckResponse & { readonly errorResponse: DeniedHttpResponse | undefined }

const ERROR_RESPONSE = 5

const method = {
  ...AuthorizationService.check,
  responseDeserialize: (bytes: Buffer): Answered => ({ ...CheckResponse.decode(bytes), errorResponse: errorResponseIn(bytes) }),
}

function errorResponseIn(bytes: Buffer): DeniedHttpResponse | undefined {
  const reader = new BinaryReader(bytes)
  let found: DeniedHttpResponse | undefined
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    if (field === ERROR_RESPONSE && type === WireType.LengthDelimited) found = DeniedHttpResponse.decode(reader.bytes())
    else reader.skip(type)
  }
  return found
}

/** Asks as an Envoy asks: 200 ms, and whatever is wrong with the request itself is in the answer. */
export const askAsEnvoy = (calls: Calls, asked: Asked, deadlineMillis = 10_000): Promise<Answered> => calls(method, requestOf(asked), deadlineMillis)

export const requestOf = ({ extensions = {}, method: verb = 'GET', path = '/', host = 'shop.example', headers = [], raw = false, principal = '', from }: Asked): CheckRequest =>
  CheckRequest.fromPartial({
    attributes: {
      source: { principal, address: { address: from === undefined ? { $case: 'pipe', value: { path: '@envoy' } } : { $case: 'socketAddress', value: { address: from } } } },
      request: { http: { id: '1', method: verb, path, host, scheme: 'https', protocol: 'HTTP/1.1', ...(raw ? { headerMap: { headers: headers.map(rawHeader) } } : { headers: joined(headers) }) } },
      contextExtensions: { ...extensions },
    },
  })

const rawHeader = ([key, value]: readonly [string, string | Buffer]) => ({ key, rawValue: Buffer.from(value) })

function joined(headers: readonly (readonly [string, string | Buffer])[]): Record<string, string> {
  const all = new Map<string, string>()
  for (const [name, value] of headers) {
    const text = Buffer.from(value).toString('utf8').replaceAll('\ufffd', '!')
    all.set(name, all.has(name) ? `${all.get(name) ?? ''},${text}` : text)
  }
  return Object.fromEntries(all)
}

/** What the client would see: an answer of HTTP, or that the request goes on. */
export function seenByClient({ status, httpResponse, errorResponse }: Answered) {
  const response = errorResponse ?? (httpResponse?.$case === 'deniedResponse' ? httpResponse.value : undefined)
  return {
    grpc: status?.code ?? 0,
    trouble: errorResponse !== undefined,
    http: response?.status?.code ?? 200,
    headers: Object.fromEntries((response?.headers ?? []).map(({ header }) => [header?.key, header?.value])),
    body: response && JSON.parse(response.body),
  }
}

export const okIn = ({ httpResponse }: Answered): OkHttpResponse | undefined => (httpResponse?.$case === 'okResponse' ? httpResponse.value : undefined)

/** What the application sees of us. */
export const toldToApplication = (answer: Answered): Record<string, string> =>
  Object.fromEntries((okIn(answer)?.headers ?? []).map(({ header }) => [header?.key ?? '', header?.value ?? '']))

export const bearerHeader = (token: string) => ['authorization', `Bearer ${token}`] as const

export const LET_THROUGH = { grpc: 0, trouble: false, http: 200, headers: {}, body: undefined }

/** A denial as the client sees it; `challenge` is the error that RFC 6750 has for it, empty for none. */
export const refused = (http: 401 | 403, reason: string, challenge?: string) => ({
  grpc: http === 401 ? 16 : 7,
  trouble: false,
  http,
  headers: { ...(challenge !== undefined && { 'www-authenticate': `Bearer realm="countersign"${challenge && `, error="${challenge}"`}` }), 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: { error: { code: http === 401 ? 'UNAUTHENTICATED' : 'PERMISSION_DENIED', reason, message: expect.stringMatching(/^\S.*\.$/) } },
})

/** An error, to which Envoy applies failure_mode_allow; it says nothing of the request. */
export const troubled = (http: 500 | 503, reason: unknown) => ({
  grpc: http === 500 ? 13 : 14,
  trouble: true,
  http,
  headers: { ...(http === 503 && { 'retry-after': expect.stringMatching(/^[1-9]\d*$/) }), 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: { error: { code: http === 500 ? 'INTERNAL' : 'UNAVAILABLE', reason, message: expect.stringMatching(/^\S.*\.$/), requestId: expect.stringMatching(/^\S+$/) } },
})

/** Requests with the text in each place that clients and operators can put it to, and as a credential in every form. */
export function showing(text: string, organization: string): Asked[] {
  const route = { action: '{{method}}', resource: 'secrets', 'attribute.x': '{{header.x}}', 'context.q': '{{query.q}}', organization }
  const mistaken = [{ [text]: text }, { action: `{{${text}}}` }, { action: text }, { project: text }, { 'attribute.path': `/%zz${text}` }, { [`attribute.${text}`]: 'x' }, { consistency: text }, { organization: text }]
  const elsewhere: readonly (readonly [string, string])[] = [['x', text], ['x-countersign-token', text], ['cookie', `token=${text}`], ['x-request-id', text]]
  const credentials = [[`Bearer ${text}`], [text], [`Basic ${text}`], [`Bearer ${text}`, `Bearer ${text}`], [`Bearer ${text} x`], []]
  const asked = credentials.flatMap((authorization) => {
    const headers = [...authorization.map((one) => ['authorization', one] as const), ...elsewhere]
    return [
      { extensions: route, headers, path: `/${text}?q=${text}`, host: text, principal: text },
      { extensions: route, headers, path: `/${text}/../x` },
      { extensions: { ...route, action: '{{header.x}}' }, headers },
      ...mistaken.map((wrong) => ({ extensions: { ...route, ...wrong }, headers })),
    ]
  })
  return [true, false].flatMap((raw) => asked.map((one) => ({ ...one, raw })))
}
