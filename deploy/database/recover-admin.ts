import { monotonicMillis } from '#libs/clock.js'
import type { NamedKey } from '#libs/env.js'
import { randomHex } from '#libs/random-hex.js'
import { createRecoveryCredentials, type ExchangeSchema, type RecoveryCredentials } from '../../services/auth-exchange/operations/recover-admin.js'
import { organizationsNamed, type RegistrySchema } from '../../services/identity-registry/operations/organizations.js'
import { createRecoveryAdmin } from '../../services/identity-registry/operations/recover-admin.js'
import type { Place } from './place.js'
import { type Opened, withSchema } from './schema.js'

// For the day on which nobody is admin any more: somebody who owns the database makes an admin for one hour.

const HOUR_MILLIS = 3_600_000
const WITHIN_MILLIS = 30_000

export type Organization = { readonly id: string; readonly name: string }

export const findOrganizations = (place: Place, wanted: string | undefined): Promise<Organization[]> =>
  withSchema(place, 'registry', ({ db }: Opened<RegistrySchema>) => organizationsNamed(db, wanted))

export type Wanted = { readonly organization: Organization; readonly reason: string; readonly pepper: NamedKey | undefined }

export type Recovered = RecoveryCredentials & { readonly identityId: string; readonly name: string; readonly endTime: Date; readonly requestId: string }

/** Both owners, one after the other: an identity without credentials, where the second fails, is admin of nothing within the hour. */
export async function recoverAdmin(place: Place, { organization, reason, pepper }: Wanted): Promise<Recovered> {
  const shared = { organizationId: organization.id, reason, requestId: randomHex(16) }
  const made = await withSchema(place, 'registry', async ({ db, clock, ids }: Opened<RegistrySchema>) => {
    const now = clock.now()
    const [endTime, name] = [new Date(now.getTime() + HOUR_MILLIS), `recovery-${now.toISOString().replaceAll(/[-:]|\.\d+/g, '')}`]
    return { endTime, name, ...(await createRecoveryAdmin({ ...shared, name, endTime }, { db, clock, ids, deadline: monotonicMillis() + WITHIN_MILLIS })) }
  })
  const credentials = await withSchema(place, 'exchange', ({ db, clock, ids }: Opened<ExchangeSchema>) =>
    createRecoveryCredentials({ ...shared, identityId: made.identityId, endTime: made.endTime }, { db, clock, ids, pepper, deadline: monotonicMillis() + WITHIN_MILLIS }))
  return { ...made, ...credentials, requestId: shared.requestId }
}
