// What stands behind Envoy: node's own HTTP server, with one short answer to everything.
import { createServer } from 'node:http'
import process from 'node:process'

const [port = '0'] = process.argv.slice(2)
const server = createServer((_request, response) => response.end('ok'))
server.keepAliveTimeout = 60_000
server.listen(Number(port), '127.0.0.1')
process.on('SIGTERM', () => process.exit(0))
