import { AuthorizationService, CheckRequest } from '#libs/wire/gen/envoy/service/auth/v3/external_auth.js'
import { connect } from '../connection.js'
import type { Row } from '../row.js'

/** The question of check.warm as Envoy asks it, by the same client. */
export const checkExtAuthz: Row = {
  name: 'check.ext_authz',
  bars: [],
  open: async ({ addresses, parts, question, projectId }) => {
    const connection = connect(addresses.check)
    const headers = { ':method': 'GET', ':path': '/secrets/1', ':authority': 'shop.example', authorization: `Bearer ${question.accessToken}`, 'x-request-id': '1', 'user-agent': 'bench' }
    const http = { id: '1', method: 'GET', path: '/secrets/1', host: 'shop.example', scheme: 'http', protocol: 'HTTP/1.1', headers }
    const contextExtensions = { action: 'read', resource: 'secrets', project: projectId, 'attribute.path': '{{path}}' }
    const request = CheckRequest.fromPartial({ attributes: { request: { http }, contextExtensions } })
    return {
      call: async () => {
        const { httpResponse } = await connection.unary(AuthorizationService.check, request)
        if (httpResponse?.$case !== 'okResponse') throw new Error('a request was not let through that is allowed')
      },
      server: parts.check,
      others: { parts: [parts.exchange, parts.registry, parts.postgres], because: 'the owners are only asked for changes' },
      close: () => connection.close(),
    }
  },
}
