import { Metadata, status } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import { leaks, type Told, told } from '../support/isolation.js'
import type { Outcome } from '../support/raw-calls.js'
import { encode, methodNamed } from '../support/wire.js'

// A comparison that finds nothing proves nothing: each of these is planted, and found.
describe('the matrix finds', () => {
  const thing = '019fda00-0000-7000-8000-000000000001'
  const about = (change: Partial<Outcome>): Told => {
    const none = { headers: new Metadata(), trailers: new Metadata(), answer: undefined }
    const outcome = { ...none, code: status.NOT_FOUND, details: `There is no project ${thing}.`, ...change }
    return told(methodNamed('IdentityRegistryService.GetProject'), outcome, { name: 'id', things: [[['id'], thing]] })
  }
  const nothing = about({})
  const trailers = new Metadata()
  trailers.set('x-hint', 'another organization')
  const project = encode(methodNamed('IdentityRegistryService.GetProject').desc.output, { id: thing, name: 'of-b-project' })

  it.each([
    ['another status', { code: status.PERMISSION_DENIED }],
    ['another message', { details: `There is no project ${thing} here.` }],
    ['another trailer', { trailers }],
    ['an answer', { code: status.OK, details: 'OK', answer: project }],
  ])('%s', (_leak, change) => {
    expect(leaks(about(change), [nothing], [])).toHaveLength(1)
  })

  it('a name of B in an answer that is always the same', () => {
    const shown = about({ code: status.OK, details: 'OK', answer: project })
    expect(leaks(shown, [shown], ['of-b-project'])).toHaveLength(1)
  })

  it('nothing where nothing differs but what was asked for', () => {
    expect(leaks(about({}), [nothing], ['of-b-project'])).toEqual([])
  })

  it('a revision where there was none, or of another feed, and not that the number of changes went on', () => {
    const { desc } = methodNamed('IdentityRegistryService.GetProject')
    const revised = (revision: string) => about({ code: status.OK, details: 'OK', answer: encode(desc.output, { id: thing, revision }) })
    const first = revised('registry.0.3f6c2f9a1b0e4d57.41')
    expect(leaks(first, [revised('registry.0.3f6c2f9a1b0e4d57.42')], [])).toEqual([])
    for (const other of ['', 'exchange.0.3f6c2f9a1b0e4d57.41', 'registry.0.0000000000000000.41']) expect(leaks(first, [revised(other)], [])).toHaveLength(1)
  })
})
