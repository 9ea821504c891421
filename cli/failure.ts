import { CommanderError } from 'commander'
import { DomainError, type FieldViolation } from '#libs/domain-error.js'
import { ConfigError } from '#libs/env.js'
import { missingText } from '#libs/escalation.js'
import type { MissingRule } from '#libs/rules/missing-rule.js'

/** 1: refused, 2: wrong usage, 3: unreachable. 0 is for what was done. */
export type FailureCode = 1 | 2 | 3

/** Why a command was not done, where no server said so. */
export class Failure extends Error {
  readonly exitCode: FailureCode
  readonly reason: string
  /** Whatever varies in the message, by name. */
  readonly metadata: Readonly<Record<string, string>>

  constructor({ exitCode, reason, message, metadata = {}, cause }: FailureParts) {
    super(message, cause === undefined ? {} : { cause })
    this.name = 'Failure'
    this.exitCode = exitCode
    this.reason = reason
    this.metadata = metadata
  }
}

type FailureParts = {
  readonly exitCode: FailureCode
  readonly reason: string
  readonly message: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

export const wrongUsage = (message: string): Failure => new Failure({ exitCode: 2, reason: 'WRONG_USAGE', message })

export const notFound = (what: 'identity' | 'project' | 'role', name: string): Failure =>
  new Failure({ exitCode: 1, reason: `${what.toUpperCase()}_NOT_FOUND`, message: `There is no ${what} named ${name}.`, metadata: { name } })

type Description = {
  readonly reason: string
  readonly message: string
  readonly violations?: readonly FieldViolation[]
  /** What was to be given and is not held, as far as the server told it. */
  readonly missingRules?: readonly MissingRule[]
  readonly metadata?: Readonly<Record<string, string>>
}

export type ExplainedFailure = { readonly exitCode: FailureCode; readonly description: Description }

export function explain(error: unknown): ExplainedFailure {
  if (error instanceof Failure) return { exitCode: error.exitCode, description: { ...described(error), metadata: error.metadata } }
  if (error instanceof DomainError) {
    const { violations, missingRules, metadata } = error
    const details = { violations, metadata, ...(missingRules.length > 0 && { missingRules }) }
    return { exitCode: error.kind === 'UNAVAILABLE' ? 3 : 1, description: { ...described(error), ...details } }
  }
  if (error instanceof ConfigError) return explain(wrongUsage(error.message))
  if (error instanceof CommanderError) return explain(wrongUsage(error.message.replace(/^error: /, '')))
  return { exitCode: 1, description: { reason: 'UNEXPECTED', message: error instanceof Error ? error.message : String(error) } }
}

const described = ({ reason, message }: Failure | DomainError) => ({ reason, message })

export function failureLines({ reason, message, violations = [], missingRules = [], metadata = {} }: Description): string[] {
  if (missingRules.length > 0) {
    const more = Number(metadata['count'] ?? missingRules.length) - missingRules.length
    return [`This would give what you do not hold (${reason}):`, ...missingRules.map((missing) => `  ${missingText(missing)}`), ...(more > 0 ? [`  and ${more} more`] : [])]
  }
  if (violations.length === 0) return [reason === 'WRONG_USAGE' ? message : `${message} (${reason})`]
  return [`The request is not valid (${reason}):`, ...violations.map(({ field, description }) => `  ${field} ${description}`)]
}
