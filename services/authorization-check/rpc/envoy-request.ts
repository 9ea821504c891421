import { isUtf8 } from 'node:buffer'
import type { HeaderValue } from '#libs/wire/gen/envoy/config/core/v3/base.js'
import type { AttributeContext_HttpRequest } from '#libs/wire/gen/envoy/service/auth/v3/attribute_context.js'
import type { Headers } from '../domain/http-request.js'
import { isOurs } from './envoy-headers.js'

/** The headers of a request, as Envoy describes it. */
export type SeenHeaders = {
  readonly all: Headers
  /** Each `authorization`; what is no text is none that could be a token. */
  readonly authorization: readonly string[]
  /** Names with our prefix: nobody but this service may say those. */
  readonly ours: readonly string[]
}

/** Where Envoy does not encode them raw, it joins headers of one name with commas and writes `!` for bytes that are no UTF-8. */
const UNCLEAR = /[,!]/
const REPLACED = '\ufffd'

export function headersOf({ headers, headerMap }: Pick<AttributeContext_HttpRequest, 'headers' | 'headerMap'>): SeenHeaders {
  const all = new Map<string, string | undefined>()
  const authorization: string[] = []
  const ours = new Set<string>()
  const see = (key: string, value: string | undefined): void => {
    const name = key.toLowerCase()
    if (name === 'authorization') authorization.push(value ?? '')
    if (isOurs(name)) ours.add(name)
    all.set(name, all.has(name) || value?.includes(REPLACED) === true ? undefined : value)
  }
  for (const [name, value] of Object.entries(headers)) see(name, UNCLEAR.test(value) ? undefined : value)
  for (const header of headerMap?.headers ?? []) see(header.key, valueOf(header))
  return { all, authorization, ours: [...ours] }
}

function valueOf({ value, rawValue }: HeaderValue): string | undefined {
  if (rawValue.length === 0) return value
  return isUtf8(rawValue) ? rawValue.toString('utf8') : undefined
}
