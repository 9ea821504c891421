import type { DomainError } from '#libs/domain-error.js'
import type { Asked } from '#libs/rules/compile.js'
import type { Subject } from '#libs/rules/template.js'
import { accessTokenRejected, principalRejected } from './refusals.js'
import type { CredentialFacts, Grant, Grants, Role } from './grants.js'

export type Reason = 'allowed-by-rule' | 'denied-by-rule' | 'no-rule' | 'source-not-trusted'

/** Allow or deny, and which rule of which role made it so. */
export type Decision =
  | { readonly allowed: boolean; readonly reason: 'allowed-by-rule' | 'denied-by-rule'; readonly role: Role; readonly ruleIndex: number }
  | { readonly allowed: false; readonly reason: 'no-rule' | 'source-not-trusted' }

/** The database's time is not known exactly: it lies between these, in milliseconds since 1970. */
export type TimeBetween = { readonly earliest: number; readonly latest: number }

/** Everything that a decision rests on; `roles` are those of `grants`, in its order. */
export type Evidence = {
  readonly credential: CredentialFacts
  readonly grants: Grants
  readonly roles: readonly Role[]
  readonly credentialTime: TimeBetween
  readonly grantsTime: TimeBetween
}

/** Refuses a credential that is good for nothing: revoked or nobody's, perhaps expired, or of an identity that is stopped. */
export function assertLive({ credential, grants, credentialTime }: Omit<Evidence, 'roles'>): void {
  if (credential.revoked || credentialTime.latest >= credential.expireMillis || grants.state !== 'active') throw rejected(credential)
}

/** One answer for each kind of credential, whatever is wrong with it. */
export const rejected = ({ tokenId }: Pick<CredentialFacts, 'tokenId'>): DomainError => (tokenId === undefined ? principalRejected() : accessTokenRejected())

type Holding = Pick<Evidence, 'credential' | 'grants' | 'roles' | 'grantsTime'>

type Question = Omit<Asked, 'subject'> & { readonly sourceAddress: string | undefined }

/** Whoever uses a token from where it may not be used is denied everything. A deny beats every allow; where no rule speaks, the answer is deny. A role counts from its start until just before its end. */
export function decide(holding: Holding, question: Question): Decision {
  if (holding.credential.trusted?.holds(question.sourceAddress) === false) return { allowed: false, reason: 'source-not-trusted' }
  const { action, resource, attributes } = question
  const asked = { action, resource, attributes, subject: subjectOf(holding) }
  return match(holding, 'deny', asked) ?? match(holding, 'allow', asked) ?? { allowed: false, reason: 'no-rule' }
}

/** Whom templates speak of. */
const subjectOf = ({ credential, grants }: Holding): Subject => ({ id: credential.identityId, name: grants.identityName, metadata: NOTHING, auth: credential.authClaims ?? NOTHING })

const NOTHING: ReadonlyMap<string, string> = new Map()

function match({ grants, roles, grantsTime }: Holding, effect: 'allow' | 'deny', asked: Asked): Decision | undefined {
  const holds = effect === 'allow' ? certainlyHolds : perhapsHolds
  for (const [place, role] of roles.entries()) {
    const ruleIndex = holds(grants.grants[place], grantsTime) ? role.compiled.first(effect, asked) : undefined
    if (ruleIndex !== undefined) return { allowed: effect === 'allow', reason: effect === 'allow' ? 'allowed-by-rule' : 'denied-by-rule', role, ruleIndex }
  }
  return undefined
}

// In the milliseconds around an end of its window a role denies and does not allow.
const certainlyHolds = (grant: Grant | undefined, { earliest, latest }: TimeBetween): boolean =>
  grant !== undefined && grant.startMillis <= earliest && latest < grant.endMillis

const perhapsHolds = (grant: Grant | undefined, { earliest, latest }: TimeBetween): boolean =>
  grant !== undefined && grant.startMillis <= latest && earliest < grant.endMillis
