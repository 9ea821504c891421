export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What an error says, and then what its causes do: for an operator, since callers are told less. */
export function withCauses(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = error.message === '' && 'code' in error ? String(error.code) : error.message
  return error.cause === undefined ? own : `${own.replace(/\.$/, '')}: ${withCauses(error.cause)}`
}
