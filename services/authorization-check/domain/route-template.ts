import { grpcOf, headerOf, hostOf, type HttpRequest, methodOf, queryOf } from './http-request.js'

// What a route says with the words of its requests: `{{path.2}}`. What is inserted is only ever a text.

/** Undefined where the request does not say it, or not so that everybody reads it alike. */
type Variable = (request: HttpRequest) => string | undefined

export type Template = readonly (string | Variable)[]

export type ParsedTemplate = { readonly template: Template; readonly problem?: undefined } | { readonly template?: undefined; readonly problem: string }

const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}/g
const OPENED = '{{'

export const parseTemplate = (text: string): ParsedTemplate => parsed(text, plain)

/** Of what has to be a word: names of gRPC, which are written with capitals, are taken in lower case. */
export const parseWordTemplate = (text: string): ParsedTemplate => parsed(text, inWords)

function parsed(text: string, named: ReadonlyMap<string, Variable>): ParsedTemplate {
  const parts: (string | Variable)[] = []
  let from = 0
  for (const { 0: whole, 1: name = '', index } of text.matchAll(PLACEHOLDER)) {
    const variable = variableOf(name, named)
    // It is not repeated: what an operator wrote there may be a secret, and problems are logged.
    if (!variable) return { problem: `has a placeholder that there is not, at character ${index + 1}` }
    parts.push(text.slice(from, index), variable)
    from = index + whole.length
  }
  parts.push(text.slice(from))
  const template = parts.filter((part) => part !== '')
  return template.some((part) => typeof part === 'string' && part.includes(OPENED)) ? { problem: 'has a {{ without a }}' } : { template }
}

export const isLiteral = (template: Template): boolean => template.every((part) => typeof part === 'string')

/** Undefined where one of its variables is. */
export function fill(template: Template, request: HttpRequest): string | undefined {
  let text = ''
  for (const part of template) {
    const value = typeof part === 'string' ? part : part(request)
    if (value === undefined) return undefined
    text += value
  }
  return text
}

/** With the same text in place of each variable. */
export const filledWith = (template: Template, text: string): string => template.map((part) => (typeof part === 'string' ? part : text)).join('')

const plain: ReadonlyMap<string, Variable> = new Map<string, Variable>([
  ['method', methodOf],
  ['host', hostOf],
  ['path', ({ target }) => target.path],
  ['grpc.service', (request) => grpcOf(request)?.service],
  ['grpc.method', (request) => grpcOf(request)?.method],
])

const inWords: ReadonlyMap<string, Variable> = new Map<string, Variable>([
  ...plain,
  ['grpc.service', (request) => grpcOf(request)?.service.toLowerCase()],
  ['grpc.method', (request) => grpcOf(request)?.method.toLowerCase()],
])

const SEGMENT = /^path\.([1-9]\d{0,2})$/
const QUERY = /^query\.(.{1,128})$/u
const HEADER = /^header\.([a-z0-9!#$%&'*+.^_`|~-]{1,128})$/

/** What says who asks is never what is asked about. */
const SECRET_HEADERS = ['authorization', 'cookie', 'proxy-authorization']

function variableOf(name: string, named: ReadonlyMap<string, Variable>): Variable | undefined {
  const [, segment] = SEGMENT.exec(name) ?? []
  if (segment !== undefined) return ({ target }) => target.segments[Number(segment) - 1]
  const [, parameter] = QUERY.exec(name) ?? []
  if (parameter !== undefined) return (request) => queryOf(request, parameter)
  const [, header] = HEADER.exec(name) ?? []
  if (header !== undefined && !SECRET_HEADERS.includes(header)) return (request) => headerOf(request, header)
  return named.get(name)
}
