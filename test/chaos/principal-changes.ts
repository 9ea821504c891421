import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { type Group, type Identity, isSeenActive } from './group.js'
import { CALL_MILLIS, type Done, type ExchangeMethod, type Planner, type Step } from './step.js'

// Which names in certificates stand for an identity. A name is its own for ever here, and is given and taken again and again.

/** Of one identity. */
const PRINCIPALS = 3

export const principalChanges = {
  CreatePrincipal: { changes: 'gives', weight: 3, plan: createPrincipal },
  DeletePrincipal: { changes: 'takes', weight: 5, plan: deletePrincipal },
} satisfies Partial<Record<ExchangeMethod, Planner>>

function createPrincipal(group: Group, about: Identity): Step | undefined {
  if (!isSeenActive(group, about)) return undefined
  const given = group.random.pick(about.principals.filter(({ isThere }) => !isThere))
  const principal = given ?? (about.principals.length < PRINCIPALS ? group.newPrincipal(about) : undefined)
  if (!principal) return undefined
  const [identityId, { name }] = [about.id, principal]
  const keep = (id: string) => () => (principal.id = id)
  return {
    what: 'CreatePrincipal',
    feed: 'exchange',
    about,
    apply: () => (principal.isThere = true),
    attempt: async () => {
      const { principal: made, revision } = await group.exchange(Exchange.createPrincipal, { identityId, name }, CALL_MILLIS)
      return { revision, keep: keep(made?.id ?? '') }
    },
    again: async ({ reason }): Promise<Done | undefined> => {
      if (reason !== 'PRINCIPAL_NAME_TAKEN') return undefined
      const { principals } = await group.exchange(Exchange.listPrincipals, { identityId, pageSize: 200, pageToken: '' }, CALL_MILLIS)
      const found = principals.find((one) => one.name === name)
      return found && { keep: keep(found.id) }
    },
    whenUnclear: () => (principal.mayReturn = true),
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
