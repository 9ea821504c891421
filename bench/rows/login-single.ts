import type { Row } from '../row.js'
import { loginWarm } from './login-warm.js'

/** One login after the other: each pays for its statements and its commit alone. */
export const loginSingle: Row = {
  ...loginWarm,
  name: 'login.single',
  inFlight: 1,
  bars: [],
}
