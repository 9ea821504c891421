import type { Clock } from '#libs/clock.js'
import { changeEpoch } from '#libs/freshness/serve.js'
import type { Ids } from '#libs/ids.js'
import { inTransaction } from '#libs/postgres/transaction.js'
import type { Deadline } from '#libs/rpc/deadline.js'
import { insertAuditEvent } from '../store/audit.js'
import { listOrganizations } from '../store/organizations.js'
import type { Db } from '../store/schema.js'

type Outside = { readonly db: Db; readonly ids: Ids; readonly clock: Clock; readonly deadline: Deadline }

/** After a restore: voids every copy of grants, roles and identities that was made before it. The new epoch says more than any change could: it is no row of the feed. */
export function afterRestore(requestId: string, { db, ids, deadline }: Outside): Promise<void> {
  return inTransaction(db, deadline, async (tx) => {
    await changeEpoch(tx, 'registry')
    for (const { id } of await listOrganizations(tx)) {
      const who = { organizationId: id, id: ids.next(), actorIdentityId: null, actorTokenId: null, targetType: 'organization', targetId: id }
      await insertAuditEvent(tx, { ...who, action: 'Restore', details: { by: 'restored' }, requestId })
    }
  })
}
