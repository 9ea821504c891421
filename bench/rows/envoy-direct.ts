import type { Row } from '../row.js'
import { behindEnvoy, noEnvoy } from './behind-envoy.js'

/** Envoy with the deployed file, on a route that is not checked: what a request costs it anyway. */
export const envoyDirect: Row = {
  name: 'envoy.direct',
  bars: [],
  missing: noEnvoy,
  open: (system) => behindEnvoy(system, { target: '/healthz', isChecked: false }),
}
