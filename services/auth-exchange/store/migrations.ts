import { exchange } from './migrations/0001-exchange.js'
import { changeFeed } from './migrations/0002-change-feed.js'
import { principals } from './migrations/0003-principals.js'
import { renewals } from './migrations/0004-renewals.js'
import { epochs } from './migrations/0005-epochs.js'
import { tokensByIdentity } from './migrations/0006-tokens-by-identity.js'
import { authMethods } from './migrations/0007-auth-methods.js'
import { keyStates } from './migrations/0008-key-states.js'
import { lockouts } from './migrations/0009-lockouts.js'
import { assertionsOfIdentities } from './migrations/0010-assertions.js'
import { wrappedSecrets } from './migrations/0011-wrapped-secrets.js'
import { tokenUses } from './migrations/0012-token-uses.js'

/** In order of name; forward only. */
export const migrations = {
  '0001-exchange': exchange,
  '0002-change-feed': changeFeed,
  '0003-principals': principals,
  '0004-renewals': renewals,
  '0005-epochs': epochs,
  '0006-tokens-by-identity': tokensByIdentity,
  '0007-auth-methods': authMethods,
  '0008-key-states': keyStates,
  '0009-lockouts': lockouts,
  '0010-assertions': assertionsOfIdentities,
  '0011-wrapped-secrets': wrappedSecrets,
  '0012-token-uses': tokenUses,
}
