// The floor: grpc-js and the generated codec, with nothing of ours, answering every check with the one answer that it was
// started with. Plain JavaScript, so that nothing stands between it and node either.
import process from 'node:process'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { AuthorizationCheckServiceService } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'

const [address = '', answer = ''] = process.argv.slice(2)
const response = AuthorizationCheckServiceService.check.responseDeserialize(Buffer.from(answer, 'base64'))
const server = new Server({ 'grpc.enable_channelz': 0 })
server.addService(AuthorizationCheckServiceService, { check: (_call, callback) => callback(null, response) })
server.bindAsync(address, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error
})
process.on('SIGTERM', () => process.exit(0))
