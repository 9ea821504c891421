import { AuthorizationCheckServiceService as Check } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { FROM_SOURCE, nodeProcess } from '../../test/support/processes.js'
import { stablePort } from '../../test/support/stable-port.js'
import { connect } from '../connection.js'
import type { Row } from '../row.js'
import { oneCheck } from '../one-check.js'

/** The floor that every ratio is to: a bare grpc-js server, asked what Check is asked, answering what Check answered. */
export const echo: Row = {
  name: 'echo',
  bars: [],
  open: async ({ from, question, answer }) => {
    const address = `127.0.0.1:${await stablePort()}`
    const connection = connect(address)
    const options = from === 'dist' ? [] : FROM_SOURCE
    const args = [...options, 'bench/echo-server.mjs', address, Check.check.responseSerialize(answer).toString('base64')]
    const call = oneCheck(connection, question)
    const server = nodeProcess({ name: 'echo', args, isReady: () => call().then(() => true, () => false) })
    await server.restart()
    return {
      call,
      server: { name: 'echo', pids: () => Promise.resolve([server.pid]) },
      close: async () => {
        connection.close()
        await server.stop()
      },
    }
  },
}
