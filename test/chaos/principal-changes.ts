import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { type Group, type Identity, isSeenActive } from './group.js'
import { CALL_MILLIS, type Done, type ExchangeMethod, type Planner, type Step } from './step.js'

// Principals change no answer about a token. What was acknowledged of them is read back in the end.

/** Of one identity at a time. */
const PRINCIPALS = 3

export const principalChanges = {
  CreatePrincipal: { changes: 'nothing', weight: 1, plan: createPrincipal },
  DeletePrincipal: { changes: 'nothing', weight: 0.7, plan: deletePrincipal },
} satisfies Partial<Record<ExchangeMethod, Planner>>

function createPrincipal(group: Group, about: Identity): Step | undefined {
  if (!isSeenActive(group, about) || about.principals.filter(({ isThere }) => isThere).length >= PRINCIPALS) return undefined
  const [identityId, name] = [about.id, `spiffe://${group.freshName('principal')}`]
  const keep = (id: string) => () => void about.principals.push({ id, name, isThere: true, mayReturn: false })
  return {
    what: 'CreatePrincipal',
    feed: 'exchange',
    about,
    attempt: async () => {
      const { principal, revision } = await group.exchange(Exchange.createPrincipal, { identityId, name }, CALL_MILLIS)
      return { revision, keep: keep(principal?.id ?? '') }
    },
    again: async ({ reason }): Promise<Done | undefined> => {
      if (reason !== 'PRINCIPAL_NAME_TAKEN') return undefined
      const { principals } = await group.exchange(Exchange.listPrincipals, { identityId, pageSize: 200, pageToken: '' }, CALL_MILLIS)
      const found = principals.find((one) => one.name === name)
      return found && { keep: keep(found.id) }
    },
    whenUnclear: () => {
      for (const principal of about.principals) if (principal.name === name) principal.mayReturn = true
    },
  }
}

function deletePrincipal(group: Group, about: Identity): Step | undefined {
  const principal = group.random.pick(about.principals.filter(({ isThere, mayReturn }) => isThere && !mayReturn))
  if (!principal) return undefined
  return {
    what: 'DeletePrincipal',
    feed: 'exchange',
    about,
    apply: () => (principal.isThere = false),
    attempt: () => group.exchange(Exchange.deletePrincipal, { id: principal.id }, CALL_MILLIS),
    again: ({ reason }) => Promise.resolve(reason === 'PRINCIPAL_NOT_FOUND' ? {} : undefined),
  }
}
