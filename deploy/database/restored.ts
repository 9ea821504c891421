import { monotonicMillis } from '#libs/clock.js'
import { randomHex } from '#libs/random-hex.js'
import { afterRestore as afterRestoreOfExchange, type Extent, type Voided } from '../../services/auth-exchange/operations/restored.js'
import type { ExchangeSchema } from '../../services/auth-exchange/operations/recover-admin.js'
import type { RegistrySchema } from '../../services/identity-registry/operations/organizations.js'
import { afterRestore as afterRestoreOfRegistry } from '../../services/identity-registry/operations/restored.js'
import type { Place } from './place.js'
import { type Opened, withSchema } from './schema.js'

/** One statement may touch every secret of the installation. */
const WITHIN_MILLIS = 600_000

/** What follows a restore, before services start; doing it twice is fine. Answers with the credentials that it ended. */
export async function restored(place: Place, extent: Extent): Promise<Voided> {
  const requestId = randomHex(16)
  const deadline = monotonicMillis() + WITHIN_MILLIS
  await withSchema(place, 'registry', (opened: Opened<RegistrySchema>) => afterRestoreOfRegistry(requestId, { ...opened, deadline }))
  return withSchema(place, 'exchange', (opened: Opened<ExchangeSchema>) => afterRestoreOfExchange(extent, requestId, { ...opened, deadline }))
}
