import type { PeerCertificate } from 'node:tls'
import { expect, it } from 'vitest'
import { channelTo, identityCheck, pemFrom } from './channel.js'

const named = (name: string): PeerCertificate => Object.assign(Object.create(null), { subject: { CN: name }, subjectaltname: `DNS:${name}` })

// Whoever has a certificate by the CA must not pass for another service. Seen to fail with the loopback test taken out.
it.each([
  ['identity-registry.example', 'identity-registry.example', true],
  ['localhost', 'identity-registry', true],
  ['127.0.0.1', 'identity-registry', true],
  ['localhost', 'auth-exchange', false],
  ['identity-registry.example', 'identity-registry', false],
  ['identity-registry.example', 'elsewhere.example', false],
])('%s may show a certificate for %s: %s', (host, name, isGood) => {
  expect(identityCheck('registry')(host, named(name)) === undefined).toBe(isGood)
})

it('half a certificate, a certificate without a CA and a file that is none are wrong usage', () => {
  expect(() => pemFrom({ COUNTERSIGN_CA_FILE: '/nowhere' })).toThrow('COUNTERSIGN_CA_FILE')
  expect(() => pemFrom({ COUNTERSIGN_KEY_FILE: import.meta.filename })).toThrow('belong together')
  expect(() => pemFrom({ COUNTERSIGN_KEY_FILE: import.meta.filename, COUNTERSIGN_CERTIFICATE_FILE: import.meta.filename })).toThrow('needs COUNTERSIGN_CA_FILE')
  expect(() => channelTo('registry', { ca: Buffer.from('no'), certificate: Buffer.from('no'), key: Buffer.from('no') })).toThrow('not good')
})
