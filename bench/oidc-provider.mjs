// The peer: oidc-provider as it is deployed, with what it stores in Redis. Client credentials give a JWT (ES256, as ours)
// where `resource` is asked for, and an opaque token otherwise.
import process from 'node:process'
import { exportJWK, generateKeyPair } from 'jose'
import { Redis } from 'ioredis'
import Provider from 'oidc-provider'

const [port = '0', redisUrl = '', clientId = '', clientSecret = ''] = process.argv.slice(2)
const redis = new Redis(redisUrl, { keyPrefix: 'peer:oidc-provider:' })

/** The adapter of oidc-provider's own example, for what client credentials need of it. */
class RedisAdapter {
  constructor(name) {
    this.name = name
  }
  key(id) {
    return `${this.name}:${id}`
  }
  async upsert(id, payload, expiresIn) {
    const value = JSON.stringify(payload)
    await (expiresIn ? redis.set(this.key(id), value, 'EX', expiresIn) : redis.set(this.key(id), value))
  }
  async find(id) {
    const value = await redis.get(this.key(id))
    return value === null ? undefined : JSON.parse(value)
  }
  async findByUid() {}
  async findByUserCode() {}
  async consume() {}
  async destroy(id) {
    await redis.del(this.key(id))
  }
  async revokeByGrantId() {}
}

const { privateKey } = await generateKeyPair('ES256', { extractable: true })
const provider = new Provider(`http://127.0.0.1:${port}`, {
  adapter: RedisAdapter,
  jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig' }] },
  clients: [{ client_id: clientId, client_secret: clientSecret, id_token_signed_response_alg: 'ES256', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }],
  ttl: { ClientCredentials: 3600 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({ scope: 'read', audience: 'bench', accessTokenFormat: 'jwt', accessTokenTTL: 3600, jwt: { sign: { alg: 'ES256' } } }),
    },
  },
})
const server = provider.listen(Number(port), '127.0.0.1')
server.keepAliveTimeout = 60_000
process.on('SIGTERM', () => process.exit(0))
