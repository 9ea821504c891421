import { dependencies } from '#libs/freshness/entities.js'
import { entryCache } from '#libs/freshness/entry-cache.js'
import { readThrough } from '#libs/freshness/read-through.js'
import type { Grant, Grants, Holder } from '../domain/grants.js'
import type { GrantReader } from '../ports.js'
import type { Layers } from './cached-tokens.js'
import { sharedEntries } from './shared-entries.js'

/** What identities hold, on account of the identity that holds it. */
export function cachedGrants({ feed, maxBytes, shared, ask, found }: Layers<Holder, Grants>): GrantReader {
  return readThrough({
    feed,
    memory: entryCache(maxBytes),
    shared: shared && sharedEntries(shared, {
      keyOf: (holder) => `authorization-check:grants:v1:${nameOf(holder)}`,
      write: grantsText,
      read: grantsFrom,
      // It may be absent to this service alone, which may not ask about everybody.
      isKept: ({ state }) => state !== 'absent',
      dependenciesOf: dependencies.grants,
    }),
    ask,
    nameOf,
    costOf: ({ identityId }, { grants }) => ({ account: identityId, bytes: 200 + grants.length * 120 }),
    on: { found },
  })
}

const nameOf = ({ organizationId, identityId, projectId }: Holder): string => `${organizationId}:${identityId}:${projectId ?? ''}`

// One line for the state, one for the name, one for each role.
const grantsText = ({ state, identityName, grants }: Grants): string =>
  [state, identityName, ...grants.map(({ roleId, startMillis, endMillis }) => `${roleId} ${startMillis} ${endMillis}`)].join('\n')

function grantsFrom(text: string): Grants | undefined {
  const [stateName, identityName, ...lines] = text.split('\n')
  const state = STATES.find((one) => one === stateName)
  return state && identityName !== undefined ? { state, identityName, grants: lines.map(grantFrom) } : undefined
}

const STATES = ['active', 'disabled', 'absent'] as const

function grantFrom(line: string): Grant {
  const [roleId = '', start, end] = line.split(' ')
  return { roleId, startMillis: Number(start), endMillis: Number(end) }
}
