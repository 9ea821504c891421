import type { InternalUnary } from '#libs/rpc/service-credential.js'
import type { ListSigningKeysRequest, ListSigningKeysResponse } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import type { Db } from '../store/schema.js'
import { listKeys } from '../store/signing-keys.js'
import { forOperator } from './for-operator.js'
import { toSigningKeyMessage } from './signing-key-message.js'

export const listSigningKeys = ({ db }: { readonly db: Db }): InternalUnary<ListSigningKeysRequest, ListSigningKeysResponse> =>
  forOperator(async () => ({ keys: (await listKeys(db)).map(toSigningKeyMessage) }))
