import { randomBytes } from 'node:crypto'
import { nodeProcess } from '../../test/support/processes.js'
import { stablePort } from '../../test/support/stable-port.js'
import { webClient, type WebRequest } from '../../test/support/web-client.js'
import { IN_FLIGHT } from '../in-flight.js'
import type { Row, Subject } from '../row.js'
import type { BenchSystem } from '../system.js'

type Peer = {
  readonly post: (path: string, form: Readonly<Record<string, string>>) => Promise<Readonly<Record<string, unknown>>>
  readonly subject: Pick<Subject, 'server' | 'close'>
}

/** oidc-provider in a process of its own, asked over HTTP with as many connections as calls are in flight. */
async function startPeer({ redisUrl }: BenchSystem): Promise<Peer> {
  const address = `127.0.0.1:${await stablePort()}`
  const [id, secret] = ['bench', randomBytes(32).toString('hex')]
  const client = webClient(address, { connections: IN_FLIGHT })
  const args = ['bench/oidc-provider.mjs', address.split(':')[1] ?? '', redisUrl, id, secret]
  const server = nodeProcess({ name: 'oidc-provider', args, isReady: () => client.send('/jwks').then(({ status }) => status === 200, () => false) })
  await server.restart()
  const headers = { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`, 'content-type': 'application/x-www-form-urlencoded' }
  return {
    post: async (path, form) => {
      const request: WebRequest = { method: 'POST', headers, body: new URLSearchParams(form).toString() }
      const { status, body } = await client.send(path, request)
      const answer: unknown = JSON.parse(body)
      if (status !== 200 || typeof answer !== 'object' || answer === null) throw new Error(`oidc-provider answered ${path} with ${status}: ${body}`)
      return Object.fromEntries(Object.entries(answer))
    },
    subject: {
      server: { name: 'oidc-provider', pids: () => Promise.resolve([server.pid]) },
      close: async () => {
        client.close()
        await server.stop()
      },
    },
  }
}

/** Client credentials for a JWT: what Login is compared with. It stores nothing of a JWT, and so can revoke none. */
export const oidcProviderToken: Row = {
  name: 'peer.oidc-provider.token',
  bars: [],
  open: async (system) => {
    const { post, subject } = await startPeer(system)
    return {
      ...subject,
      call: async () => {
        const { access_token: token } = await post('/token', { grant_type: 'client_credentials', resource: 'urn:countersign:bench', scope: 'read' })
        if (typeof token !== 'string' || token.split('.').length !== 3) throw new Error('oidc-provider gave no JWT')
      },
    }
  },
}

/** Introspection of an opaque token, which is one look-up in Redis: of a JWT it says nothing. */
export const oidcProviderIntrospect: Row = {
  name: 'peer.oidc-provider.introspect',
  bars: [],
  open: async (system) => {
    const { post, subject } = await startPeer(system)
    const { access_token: token } = await post('/token', { grant_type: 'client_credentials' })
    return {
      ...subject,
      call: async () => {
        const { active } = await post('/token/introspection', { token: String(token) })
        if (active !== true) throw new Error('oidc-provider says that a good token is none')
      },
    }
  },
}
