import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HttpRequest } from './http-request.js'
import { targetOf } from './request-target.js'
import { fill, filledWith, isLiteral, parseTemplate, parseWordTemplate, type Template } from './route-template.js'

const request: HttpRequest = {
  method: 'POST',
  host: 'Shop.Example:8443',
  target: targetOf('/shop.v1.Orders/Get'),
  headers: new Map([['content-type', 'application/grpc'], ['x-tenant', 'acme*'], ['x-twice', undefined]]),
}
const withQuery = { ...request, target: targetOf('/orders/7?id=a%20b') }

const templateOf = (text: string, parse = parseTemplate): Template => {
  const { template, problem } = parse(text)
  if (problem !== undefined) throw new Error(problem)
  return template
}

describe('a template', () => {
  it.each([
    ['orders', 'orders'],
    ['', ''],
    ['{{method}}', 'post'],
    ['{{ method }}', 'post'],
    ['{{host}}', 'shop.example'],
    ['{{path}}', '/shop.v1.Orders/Get'],
    ['/of/{{path.2}}/{{path.1}}', '/of/Get/shop.v1.Orders'],
    ['{{grpc.service}}:{{grpc.method}}', 'shop.v1.Orders:Get'],
    ['{{header.x-tenant}}', 'acme*'],
    ['{path} }} {', '{path} }} {'],
    ['{{path.3}}', undefined],
    ['{{header.x-twice}}', undefined],
    ['{{header.x-none}}', undefined],
    ['{{query.id}}', undefined],
    ['a{{query.id}}b', undefined],
  ])('%j is %j', (text, filled) => expect(fill(templateOf(text), request)).toBe(filled))

  it('takes names of gRPC in lower case where it has to be a word, and nothing else', () => {
    const text = '{{grpc.service}}.{{grpc.method}}.{{path.2}}'
    expect(fill(templateOf(text, parseWordTemplate), request)).toBe('shop.v1.orders.get.Get')
    expect(fill(templateOf('{{grpc.method}}', parseWordTemplate), withQuery)).toBeUndefined()
  })

  it('inserts a parameter decoded once', () => expect(fill(templateOf('{{path.2}} {{query.id}}'), withQuery)).toBe('7 a b'))

  it.each([
    ['{{', 'has a {{ without a }}'],
    ['a{{path', 'has a {{ without a }}'],
    ['{{path}}{{', 'has a {{ without a }}'],
    ['a{{path}}{{}}', 'has a placeholder that there is not, at character 10'],
    ...['{{identity.id}}', '{{Path}}', '{{path.0}}', '{{path.01}}', '{{path.-1}}', '{{path.}}', '{{path.1000}}', '{{query.}}', '{{header.}}', '{{header.X-Tenant}}', '{{header.:path}}', '{{grpc}}', '{{__proto__}}']
      .map((text): [string, string] => [text, 'has a placeholder that there is not, at character 1']),
    // Who asks is never what is asked about: a token would be compared, and named in what is logged of a rule.
    ...['authorization', 'cookie', 'proxy-authorization'].map((name): [string, string] => [`{{header.${name}}}`, 'has a placeholder that there is not, at character 1']),
  ])('is none: %j', (text, problem) => expect(parseTemplate(text)).toEqual({ problem }))

  it('without a variable is a literal', () => {
    expect([isLiteral(templateOf('a')), isLiteral(templateOf('')), isLiteral(templateOf('{{path}}'))]).toEqual([true, true, false])
    expect(filledWith(templateOf('a{{path}}{{host}}'), 'x')).toBe('axx')
  })
})

const texts = fc.array(fc.oneof(fc.constantFrom('{{', '}}', '{', '}', 'path', 'path.1', 'query.a', 'header.x', 'method', ' ', '.', '{{path}}', '{{query.a}}'), fc.string({ maxLength: 4 })), { maxLength: 10 }).map((all) => all.join(''))

const requests: fc.Arbitrary<HttpRequest> = fc.record({
  method: fc.string(),
  host: fc.string(),
  target: fc.record({ path: fc.string(), segments: fc.array(fc.string()), query: fc.string() }),
  headers: fc.dictionary(fc.string(), fc.option(fc.string(), { nil: undefined })).map((all) => new Map(Object.entries(all))),
})

describe('any text, of any request', () => {
  it('makes no template throw, neither read nor filled', () => {
    fc.assert(fc.property(texts, requests, (text, any) => {
      const { template, problem } = parseTemplate(text)
      expect(template === undefined).toBe(problem !== undefined)
      if (template) fill(template, any)
    }), { numRuns: 2_000 })
  })

  it('is inserted as it is: what looks like a placeholder in it means nothing', () => {
    fc.assert(fc.property(fc.string(), (value) => {
      const any = { ...request, headers: new Map([['x', value]]) }
      expect(fill(templateOf('a{{header.x}}b{{header.x}}'), any)).toBe(`a${value}b${value}`)
    }))
  })
})
