import { z } from 'zod'
import { ruleJson } from '#libs/rules/json.js'
import { dependencies } from '#libs/freshness/entities.js'
import { entryCache } from '#libs/freshness/entry-cache.js'
import { readThrough } from '#libs/freshness/read-through.js'
import { type Role, roleFrom, type RoleKey } from '../domain/grants.js'
import type { RoleReader } from '../ports.js'
import type { Layers } from './cached-tokens.js'
import { sharedEntries } from './shared-entries.js'

/** Roles, compiled once and shared by all who hold them. */
export function cachedRoles({ feed, maxBytes, shared, ask, found }: Layers<RoleKey, Role>): RoleReader {
  return readThrough({
    feed,
    memory: entryCache(maxBytes),
    shared: shared && sharedEntries(shared, {
      keyOf: (key) => `authorization-check:role:v1:${nameOf(key)}`,
      write: ({ role, rules }) => JSON.stringify({ role, rules }),
      read: (text, { roleId }) => {
        const stored = storedRole.safeParse(JSON.parse(text))
        return stored.success ? roleFrom({ roleId, ...stored.data }) : undefined
      },
      // It may be unknown to this service alone, which may not ask about every project.
      isKept: ({ role }) => role !== '',
      dependenciesOf: ({ roleId }) => dependencies.role(roleId),
    }),
    ask,
    nameOf,
    costOf: ({ roleId }, { rules }) => ({ account: roleId, bytes: 500 + 4 * JSON.stringify(rules).length }),
    on: { found },
  })
}

const nameOf = ({ organizationId, roleId }: RoleKey): string => `${organizationId}:${roleId}`

const storedRole = z.object({ role: z.string(), rules: z.array(ruleJson) })
