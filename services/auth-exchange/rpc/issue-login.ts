import type { Clock } from '#libs/clock.js'
import type { Stamp } from '#libs/freshness/stamp.js'
import type { Ids } from '#libs/ids.js'
import { contention } from '#libs/postgres/errors.js'
import { repeating } from '#libs/postgres/transaction.js'
import type { Deadline } from '#libs/rpc/deadline.js'
import type { Call } from '#libs/rpc/unary.js'
import type { LoginResponse } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { issuedToken } from '../domain/issued-token.js'
import type { ActiveTokens, IdentityReader, LoginAttempt, Proven, TokenSigner } from '../ports.js'
import type { LoginEntry, LoginLedger } from '../store/login-ledger.js'
import { recordMethodLogin } from '../store/method-logins.js'
import type { Db } from '../store/schema.js'

export type IssueOutside = {
  readonly db: Db
  readonly ledger: LoginLedger
  readonly identities: IdentityReader
  readonly signer: TokenSigner
  readonly activeTokens: ActiveTokens
  readonly ids: Ids
  readonly clock: Clock
}

type Asked = { readonly attempt: LoginAttempt; readonly call: Call; readonly sourceAddress: string | undefined }

/** The token for whoever proved that, once all of it is durable; undefined, and nothing was written, where it is not so any more. */
export type IssueLogin = (proven: Proven, asked: Asked) => Promise<LoginResponse | undefined>

export function issueLogin({ db, ledger, identities, signer, activeTokens, ids, clock }: IssueOutside): IssueLogin {
  const record = recording(db, ledger)
  return async (proven, { attempt, call, sourceAddress }) => {
    const { organizationId, identityId } = proven
    call.note({ organization_id: organizationId, identity_id: identityId })
    if ((await identities.stateOf(proven, call)) !== 'active') {
      // It is refused as one that was read, or the time that it takes would tell the two apart.
      if (proven.remembered) return undefined
      throw attempt.refusal('identity-not-active', proven.ownLockout)
    }
    const now = clock.now()
    const { token, claims } = issuedToken(proven, { id: ids.next(), now })
    // Signed before it is recorded: a signature that fails must not have cost a use.
    const { text: accessToken, digest } = await signer.sign(claims, proven.signingKid)
    const entry = { token, auditEventId: ids.next(), requestId: call.trace.requestId, sourceAddress: sourceAddress ?? null, now }
    const stamp = await record(entry, proven, call.deadline)
    if (!stamp) return undefined
    activeTokens.keep({ digest, record: token, trustedIps: proven.accessTokenTrustedIps, stamp })
    call.note({ token_id: token.id })
    return { accessToken, tokenId: token.id, expiresInSeconds: claims.exp - claims.iat, expireTime: token.expireTime }
  }
}

/** Where the feed stood when all was so that the login rests on; null where it is not so any more. */
type Record = (entry: LoginEntry, proven: Proven, deadline: Deadline) => Promise<Stamp | null>

const recording = (db: Db, ledger: LoginLedger): Record => async (entry, { methodEtag, authClaims, stamp, remembered }, deadline) => {
  if (methodEtag === undefined) {
    const recorded = await ledger.record({ ...entry, remembered }, deadline)
    // What was remembered was found to be so just now; what was read, was read before.
    return remembered ? recorded : recorded && stamp
  }
  const { token, auditEventId: id, requestId, sourceAddress } = entry
  const { organizationId, identityId, method, credentialId } = token
  const by = { organizationId, actorIdentityId: identityId, actorTokenId: token.id, targetType: 'access-token', targetId: token.id }
  const event = { ...by, id, action: 'Login', details: { method, credentialId, claims: authClaims, sourceAddress: sourceAddress ?? undefined }, requestId }
  const login = { token: { ...token, name: null }, event, etag: methodEtag }
  if (!(await repeating(deadline, () => recordMethodLogin(db, login)))) throw contention(undefined)
  return stamp
}
