const SECRET = new Set(['authorization', 'accessToken', 'clientSecret', 'wrappingToken', 'secret', 'token', 'password', 'credential'])

type Fields = Record<string, unknown>

/**
 * A second belt for the log: code never logs a credential, and a field of one of these names, or of `more`, never shows its value,
 * nor does one of these in an object in a field. By hand, since this is done for every call that is answered, and pino's own way costs as much as
 * all else of a line.
 */
export function withoutSecrets(fields: Fields, more: readonly string[] = []): Fields {
  let hidden: Fields | undefined
  for (const [name, value] of Object.entries(fields)) {
    const isSecret = SECRET.has(name) || (more.includes(name) && value !== undefined)
    const shown = isSecret ? '[secret]' : isPlain(value) ? hiddenIn(value) : value
    if (shown !== value) (hidden ??= { ...fields })[name] = shown
  }
  return hidden ?? fields
}

const hiddenIn = (inner: Fields): Fields =>
  Object.keys(inner).some((name) => SECRET.has(name)) ? Object.fromEntries(Object.entries(inner).map(([name, value]) => [name, SECRET.has(name) ? '[secret]' : value])) : inner

/** An error is not: it has a form of its own in the log. */
const isPlain = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !(value instanceof Error)
