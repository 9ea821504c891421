import type { Principal as PrincipalMessage } from '#libs/wire/gen/countersign/exchange/v1/principal.js'
import type { Principal } from '../domain/principal.js'

export const toPrincipalMessage = ({ id, organizationId, identityId, name, createTime }: Principal): PrincipalMessage => ({ id, organizationId, identityId, name, createTime })
