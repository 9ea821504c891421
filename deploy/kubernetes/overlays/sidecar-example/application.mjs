import { createServer } from 'node:http'

// It knows nothing of tokens: who calls is in headers that Envoy sets and that nobody else can. It listens on loopback, so
// that there is no way to it but through Envoy.
const server = createServer((request, response) => {
  if (request.url === '/healthz') return response.end('ok\n')
  const caller = request.headers['x-countersign-identity-name'] ?? 'somebody'
  response.setHeader('content-type', 'application/json').end(`${JSON.stringify({ caller, method: request.method, path: request.url })}\n`)
})

server.listen(8081, '127.0.0.1')
process.on('SIGTERM', () => server.close())
