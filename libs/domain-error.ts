import type { MissingRule } from './rules/missing-rule.js'

// How this product says no. A refusal is a DomainError made by a named constructor in a service's domain/refusals.ts;
// libs/rpc/errors.ts carries it over the wire and back.

export type Kind =
  | 'INVALID_ARGUMENT'
  | 'UNAUTHENTICATED'
  | 'PERMISSION_DENIED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'OUT_OF_RANGE'
  | 'RESOURCE_EXHAUSTED'
  | 'UNAVAILABLE'
  | 'INTERNAL'

export type FieldViolation = { readonly field: string; readonly description: string }

type Details = {
  /** Whatever varies in the message, by name (AIP-193). */
  readonly metadata?: Readonly<Record<string, string>>
  readonly violations?: readonly FieldViolation[]
  readonly retryAfterMillis?: number
  /** What was to be given and is not held. */
  readonly missingRules?: readonly MissingRule[]
  readonly cause?: unknown
}

export class DomainError extends Error {
  readonly metadata: Readonly<Record<string, string>>
  readonly violations: readonly FieldViolation[]
  readonly retryAfterMillis: number | undefined
  readonly missingRules: readonly MissingRule[]

  // eslint-disable-next-line @typescript-eslint/max-params -- every refusal is one line, and these four are what it says
  constructor(
    readonly kind: Kind,
    /** UPPER_SNAKE, unique in the product; a row of docs/errors.md. */
    readonly reason: string,
    message: string,
    details: Details = {},
  ) {
    super(message, details.cause === undefined ? {} : { cause: details.cause })
    this.name = 'DomainError'
    this.metadata = details.metadata ?? {}
    this.violations = details.violations ?? []
    this.retryAfterMillis = details.retryAfterMillis
    this.missingRules = details.missingRules ?? []
  }
}

/** Says what is wrong with the field that it was made for. */
export type Report = (problem: string) => void

/** Collects everything that is wrong with a request, so that one answer names it all. */
export class Violations {
  readonly #found: FieldViolation[] = []

  /** The reporter for one field, named as in the proto: `roles[1].end_time`. */
  at(field: string): Report {
    return (problem) => void this.#found.push({ field, description: problem })
  }

  get found(): readonly FieldViolation[] {
    return this.#found
  }

  /** Refuses the request if anything was reported. */
  refuse(): void {
    if (this.#found.length > 0) throw invalidRequest(this.#found)
  }
}

export function invalidRequest(violations: readonly FieldViolation[]): DomainError {
  const fields = violations.map(({ field, description }) => `${field} ${description}`).join('; ')
  return new DomainError('INVALID_ARGUMENT', 'INVALID_REQUEST', `The request is not valid: ${fields}.`, { violations })
}
