import type { Row } from '../row.js'
import { behindEnvoy, noEnvoy } from './behind-envoy.js'

/** The same, checked: Envoy's own part is what it costs more than envoy.direct, the rest is authorization-check's. */
export const envoyChecked: Row = {
  name: 'envoy.checked',
  bars: [],
  missing: noEnvoy,
  open: (system) => behindEnvoy(system, { target: '/orders/1', isChecked: true }),
}
