import type { Report } from '#libs/domain-error.js'

/** The server's ceiling on the life of a token, in seconds: 90 days. */
export const CEILING_SECONDS = 7_776_000
export const DEFAULT_TTL_SECONDS = 3_600
export const DEFAULT_MAX_TTL_SECONDS = 86_400

/** How long tokens live: `accessTokenTtlSeconds` each, and `accessTokenMaxTtlSeconds` over all renewals. */
export type Lifetimes = { readonly accessTokenTtlSeconds: number; readonly accessTokenMaxTtlSeconds: number }

type Asked = { readonly accessTokenTtlSeconds?: number | undefined; readonly accessTokenMaxTtlSeconds?: number | undefined }

/** Taken for what holds already, it leaves only what can never be to be refused. */
export const WIDEST: Lifetimes = { accessTokenTtlSeconds: 1, accessTokenMaxTtlSeconds: CEILING_SECONDS }

/** What is asked for over what holds already; 0 means the ceiling. */
export function lifetimesFrom(asked: Asked, current: Lifetimes, at: (field: string) => Report): Lifetimes {
  const [ttlField, maxTtlField] = ['access_token_ttl_seconds', 'access_token_max_ttl_seconds']
  const ttl = seconds(asked.accessTokenTtlSeconds, current.accessTokenTtlSeconds, at(ttlField))
  const maxTtl = seconds(asked.accessTokenMaxTtlSeconds, current.accessTokenMaxTtlSeconds, at(maxTtlField))
  if (ttl === undefined || maxTtl === undefined) return current
  const wrongField = asked.accessTokenTtlSeconds === undefined ? maxTtlField : ttlField
  if (ttl > maxTtl) at(wrongField)(`would leave a TTL of ${ttl} above the maximum of ${maxTtl}`)
  return { accessTokenTtlSeconds: ttl, accessTokenMaxTtlSeconds: maxTtl }
}

function seconds(asked: number | undefined, current: number, report: Report): number | undefined {
  if (asked === undefined) return current
  return asked === 0 ? CEILING_SECONDS : secondsUpToCeiling(asked, report)
}

/** Undefined, and reported, where it is no time that a token may live. */
export function secondsUpToCeiling(asked: number, report: Report): number | undefined {
  if (asked > 0 && asked <= CEILING_SECONDS) return asked
  report(`must be a whole number from 0 to ${CEILING_SECONDS}`)
  return undefined
}

/** The durable record of a token lineage: everything of it that a token may claim. */
export type AccessTokenRecord = {
  readonly organizationId: string
  /** The jti. */
  readonly id: string
  readonly identityId: string
  readonly method: string
  readonly credentialId: string
  readonly credentialEpoch: string
  readonly methodEpoch: string
  /** Null: no token of the identity, or of the organization, had ever been voided. */
  readonly identityEpoch: string | null
  readonly organizationEpoch: string | null
  /** When the lineage began. */
  readonly issueTime: Date
  /** How long each token of the lineage lives, as its method had it at the login. Null: as long as the first one. */
  readonly ttlSeconds: number | null
  /** Of the token that lives longest of those that were issued. */
  readonly expireTime: Date
  /** No renewal goes beyond. Null: periodic, so that only the end of the latest token ends it. */
  readonly maxExpireTime: Date | null
  /** How long each token of a periodic lineage lives. */
  readonly periodSeconds: number | null
  /** How many questions may be asked with the tokens of the lineage, all together. Null: any number. */
  readonly useLimit: number | null
  /** What the login proved beside who it is, for templates of rules. */
  readonly authClaims?: Readonly<Record<string, string>> | null | undefined
  /** Of the latest renewal. */
  readonly renewTime: Date | null
  readonly revokeTime: Date | null
}

/** Null: no operator named it. */
export type NamedToken = AccessTokenRecord & { readonly name: string | null }

/** What was counted of a lineage so far: only where its uses are limited. */
export type Counted = { readonly uses: number; readonly lastUsedTime: Date | null }

/** Whether no question may be asked with the tokens of the lineage any more. */
export const isSpent = ({ useLimit, uses }: Pick<AccessTokenRecord & Counted, 'useLimit' | 'uses'>): boolean => useLimit !== null && uses >= useLimit

/** What a token of ours claims. Times are whole seconds since 1970. */
export type Claims = {
  readonly jti: string
  readonly sub: string
  readonly org: string
  readonly sid: string
  readonly amr: readonly string[]
  readonly client_id: string
  readonly iat: number
  readonly exp: number
}

/** What a token claims whose signature was verified, and the key that signed it. */
export type SignedClaims = { readonly claims: Claims; readonly kid: string }

type Life = Pick<AccessTokenRecord, 'issueTime' | 'ttlSeconds' | 'expireTime' | 'maxExpireTime' | 'periodSeconds' | 'renewTime'>

const secondsOf = (time: Date): number => Math.floor(time.getTime() / 1000)
const timeOf = (seconds: number): Date => new Date(seconds * 1000)

/** The life of a lineage that begins now. Tokens count in whole seconds: the end is rounded down. */
export function lifeFrom(now: Date, { accessTokenTtlSeconds, accessTokenMaxTtlSeconds, accessTokenPeriodSeconds: periodSeconds }: Lifetimes & Period): Life {
  const after = (count: number) => timeOf(secondsOf(now) + count)
  const ttlSeconds = periodSeconds ?? accessTokenTtlSeconds
  const maxExpireTime = periodSeconds === null ? after(accessTokenMaxTtlSeconds) : null
  return { issueTime: after(0), ttlSeconds, expireTime: after(ttlSeconds), maxExpireTime, periodSeconds, renewTime: null }
}

type Period = { readonly accessTokenPeriodSeconds: number | null }

/** When the last token of a lineage ends, however often it is renewed; undefined where it may be renewed without end. */
export const lastExpireTime = ({ issueTime, maxExpireTime }: Life): Date | undefined =>
  maxExpireTime === null ? undefined : timeOf(Math.min(secondsOf(maxExpireTime), secondsOf(issueTime) + CEILING_SECONDS))

/** A lineage that is renewed now, with the end of its new token. */
export function renewedLife<Of extends Life>(life: Of, now: Date): Of {
  const ttlSeconds = life.ttlSeconds ?? secondsOf(life.expireTime) - secondsOf(life.issueTime)
  const last = lastExpireTime(life)
  const after = secondsOf(now) + ttlSeconds
  return { ...life, ttlSeconds, expireTime: timeOf(last ? Math.min(after, secondsOf(last)) : after), renewTime: now }
}

/** Whether the record stands behind the claims: a token with a live jti that says anything else is forged. */
export function standsBehind(record: AccessTokenRecord, claims: Claims): boolean {
  return (
    record.identityId === claims.sub &&
    record.organizationId === claims.org &&
    record.credentialId === claims.sid &&
    claims.exp * 1000 <= record.expireTime.getTime()
  )
}
