import type { Clock } from '#libs/clock.js'
import type { ChangeFeed } from '#libs/freshness/append.js'
import type { Ids } from '#libs/ids.js'
import type { InternalAdapter } from '#libs/rpc/service-credential.js'
import { whenAnswered } from '#libs/rpc/unary.js'
import type { ExchangeInternalServiceServer } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import type { KeyRotation, SecretHasher, TokenSigner } from '../ports.js'
import type { Standings } from '../store/access-tokens.js'
import type { Db, ExchangeSchema } from '../store/schema.js'
import { bootstrap } from './bootstrap.js'
import { consumeUse } from './consume-use.js'
import { describePrincipal } from './describe-principal.js'
import { describeToken } from './describe-token.js'
import { listSigningKeys } from './list-signing-keys.js'
import { revokeSigningKey } from './revoke-signing-key.js'
import { rotateSigningKey } from './rotate-signing-key.js'

type Outside = {
  readonly db: Db
  readonly standings: Standings
  readonly feed: ChangeFeed<ExchangeSchema>
  readonly signer: TokenSigner
  readonly hasher: SecretHasher
  readonly rotation: KeyRotation
  readonly ids: Ids
  readonly clock: Clock
}

/** What auth-exchange answers other services, on a port and a pool of its own. */
export const exchangeInternalService = (internal: InternalAdapter, outside: Outside): ExchangeInternalServiceServer => ({
  describeToken: internal(describeToken(outside), whenAnswered),
  consumeUse: internal(consumeUse(outside), whenAnswered),
  describePrincipal: internal(describePrincipal(outside), whenAnswered),
  bootstrap: internal(bootstrap(outside)),
  listSigningKeys: internal(listSigningKeys(outside)),
  rotateSigningKey: internal(rotateSigningKey(outside)),
  revokeSigningKey: internal(revokeSigningKey(outside)),
})
