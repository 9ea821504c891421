import { type Identity, IdentityState } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import type { Cell } from './table.js'

const states: Readonly<Record<IdentityState, string>> = {
  [IdentityState.UNSPECIFIED]: 'unspecified',
  [IdentityState.ACTIVE]: 'active',
  [IdentityState.DISABLED]: 'disabled',
  [IdentityState.UNRECOGNIZED]: 'unrecognized',
}

export const identityDocument = (identity: Identity) => ({ ...identity, state: states[identity.state] })

export const identityFields = ({ id, name, state, createTime }: Identity): (readonly [string, Cell])[] => [
  ['id', id],
  ['name', name],
  ['state', states[state]],
  ['created', createTime],
]
