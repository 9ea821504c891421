import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { SignJWT } from 'jose'
import { certificateAuthority } from './certificate-authority.js'
import { type HttpsServer, json, startHttpsServer } from './https-server.js'

/** An OpenID Connect issuer on loopback, with a CA of its own, that issues what a test says. */
export type Issuer = {
  /** Its name, and where it is. */
  readonly url: string
  readonly caCertificate: string
  readonly server: HttpsServer
  /** A new key that signs from now on, published with the old ones or in their place. */
  rotate(options?: { readonly keepOld?: boolean }): string
  /** Answers as issuers do. */
  recover(): void
  /** A JWT with these claims; `header` goes over what it would have had. */
  issue(claims: object, header?: object): Promise<string>
  publicKey(): KeyObject
  close(): Promise<void>
}

type Key = { readonly kid: string; readonly publicKey: KeyObject; readonly privateKey: KeyObject }

export async function startIssuer(folder: string, name: string): Promise<Issuer> {
  const authority = await certificateAuthority(folder, `${name}-ca`)
  let made = 0
  const newKey = (): Key => ({ kid: `key-${(made += 1)}`, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) })
  let [current, ...old]: [Key, ...Key[]] = [newKey()]
  const server = await startHttpsServer(await authority.issue(name, ['IP:127.0.0.1']), () => undefined)
  const url = `https://127.0.0.1:${server.port}`
  const recover = () =>
    server.answer((request, response) => {
      const keys = [current, ...old].map(({ kid, publicKey }) => ({ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' }))
      if (request.url === '/.well-known/openid-configuration') json({ issuer: url, jwks_uri: `${url}/jwks`, response_types_supported: ['id_token'] })(request, response)
      else if (request.url === '/jwks') json({ keys })(request, response)
      else json({ error: 'not_found' }, 404)(request, response)
    })
  recover()
  return {
    url,
    caCertificate: readFileSync(authority.caFile, 'utf8'),
    server,
    rotate: ({ keepOld = true } = {}) => {
      old = keepOld ? [current, ...old] : []
      current = newKey()
      return current.kid
    },
    recover,
    issue: (claims, header = {}) => new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: current.kid, ...header }).sign(current.privateKey),
    publicKey: () => current.publicKey,
    close: () => server.close(),
  }
}
