import { Metadata } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import { bearerToken } from './bearer.js'

function tokenIn(...values: string[]): string {
  const metadata = new Metadata()
  for (const value of values) metadata.add('authorization', value)
  return bearerToken(metadata)
}

describe('the token of a call', () => {
  it.each([
    ['Bearer eyJ.a-b_c.d', 'eyJ.a-b_c.d'],
    ['bearer x', 'x'],
    ['BEARER x', 'x'],
    ['bEaReR x', 'x'],
    [`Bearer ${'x'.repeat(4_096)}`, 'x'.repeat(4_096)],
  ])('is what comes after Bearer', (value, token) => {
    expect(tokenIn(value)).toBe(token)
  })

  it.each([
    ['no header', []],
    ['two headers', ['Bearer x', 'Bearer y']],
    ['the same header twice', ['Bearer x', 'Bearer x']],
    ['another scheme beside it', ['Bearer x', 'Basic eDp5']],
    ['two in one header', ['Bearer x, Bearer y']],
    ['another scheme', ['Basic eDp5']],
    ['no scheme', ['eyJ.a.b']],
    ['nothing', ['']],
    ['no token', ['Bearer']],
    ['no token after a space', ['Bearer ']],
    ['two spaces', ['Bearer  x']],
    ['more than a token can be', [`Bearer ${'x'.repeat(4_097)}`]],
    ['a space after', ['Bearer x ']],
    ['a space within', ['Bearer x y']],
    ['a word before', ['the Bearer x']],
    ['another name', ['Bearerx y']],
  ])('is missing with %s', (_what, values) => {
    expect(() => tokenIn(...values)).toThrow(expect.objectContaining({ kind: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_MISSING' }))
  })
})
