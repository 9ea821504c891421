import { CommanderError } from 'commander'
import { DomainError, type FieldViolation } from '#libs/domain-error.js'

/** 1: refused, 2: wrong usage, 3: unreachable. 0 is for what was done. */
export type FailureCode = 1 | 2 | 3

/** Why a command was not done, where no server said so. */
export class Failure extends Error {
  readonly exitCode: FailureCode
  readonly reason: string
  /** Whatever varies in the message, by name. */
  readonly metadata: Readonly<Record<string, string>>

  constructor({ exitCode, reason, message, metadata = {} }: FailureParts) {
    super(message)
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
}

export const wrongUsage = (message: string): Failure => new Failure({ exitCode: 2, reason: 'WRONG_USAGE', message })

export const notFound = (what: 'identity' | 'project' | 'role', name: string): Failure =>
  new Failure({ exitCode: 1, reason: `${what.toUpperCase()}_NOT_FOUND`, message: `There is no ${what} named ${name}.`, metadata: { name } })

type Description = {
  readonly reason: string
  readonly message: string
  readonly violations?: readonly FieldViolation[]
  readonly metadata?: Readonly<Record<string, string>>
}

export type ExplainedFailure = { readonly exitCode: FailureCode; readonly description: Description }

export function explain(error: unknown): ExplainedFailure {
  if (error instanceof Failure) return { exitCode: error.exitCode, description: { ...described(error), metadata: error.metadata } }
  if (error instanceof DomainError) {
    const { violations, metadata } = error
    return { exitCode: error.kind === 'UNAVAILABLE' ? 3 : 1, description: { ...described(error), violations, metadata } }
  }
  if (error instanceof CommanderError) return explain(wrongUsage(error.message.replace(/^error: /, '')))
  return { exitCode: 1, description: { reason: 'UNEXPECTED', message: error instanceof Error ? error.message : String(error) } }
}

const described = ({ reason, message }: Failure | DomainError) => ({ reason, message })

export function failureLines({ reason, message, violations = [] }: Description): string[] {
  if (violations.length === 0) return [reason === 'WRONG_USAGE' ? message : `${message} (${reason})`]
  return [`The request is not valid (${reason}):`, ...violations.map(({ field, description }) => `  ${field} ${description}`)]
}
