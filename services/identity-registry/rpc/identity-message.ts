import { Identity as IdentityMessage, IdentityState as StateMessage } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import type { Identity, IdentityState } from '../domain/identity.js'

export const stateMessages: Record<IdentityState, StateMessage> = { active: StateMessage.ACTIVE, disabled: StateMessage.DISABLED }

export const toIdentityMessage = (identity: Identity): IdentityMessage =>
  IdentityMessage.fromPartial({ ...identity, state: stateMessages[identity.state] })
