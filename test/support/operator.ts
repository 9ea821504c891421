import { asService, type Calls, callsTo } from './calls.js'
import type { System } from './system.js'

/** Whoever runs the installation, at the internal listener of auth-exchange. */
export const operatorOf = ({ addresses, secrets }: System, address = addresses.exchangeInternal): Calls => callsTo(address, asService('bootstrap', secrets.bootstrapCredential))
