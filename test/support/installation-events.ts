import { INSTALLATION } from '#libs/ids.js'
import { withClient } from '../../deploy/local/service-databases.js'
import type { System } from './system.js'

export type InstallationEvent = { readonly action: string; readonly details: Readonly<Record<string, unknown>> }

/** What the audit says of a signing key, in order. */
export const installationEvents = ({ databases }: System, kid: string): Promise<InstallationEvent[]> =>
  withClient(databases.superuserUrl, async (client) => {
    const query = "select action, details from exchange.audit_event where organization_id = $1 and target_type = 'signing-key' and details->>'kid' = $2 order by id"
    return (await client.query<InstallationEvent>(query, [INSTALLATION, kid])).rows
  })
