import { type HeaderValueOption, HeaderValueOption_HeaderAppendAction as AppendAction } from '#libs/wire/gen/envoy/config/core/v3/base.js'

// Headers as Envoy is told to set them.

/** What an application may believe, since nobody else can say it: whatever a request brings of these is taken away. */
const PREFIX = 'x-countersign-'

/** Whether a name in lower case is one of ours to say. */
export const isOurs = (name: string): boolean => name.startsWith(PREFIX)

/** In place of whatever is said under this name. */
export const replacing = (key: string, value: string): HeaderValueOption => ({
  header: { key, value, rawValue: NOTHING },
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- Envoys that don't know the action go by this, and would add where they don't find it
  append: false,
  appendAction: AppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
  keepEmptyValue: false,
})

export const ours = (name: string, value: string): HeaderValueOption => replacing(`${PREFIX}${name}`, value)

const NOTHING = Buffer.alloc(0)

const ESCAPED = /[^\x21-\x7e]|%/gu
const UNPAIRED = /\p{Surrogate}/gu

/** Percent-encoded where it is not visible ASCII, and `%` itself, so that it can be read back. */
export const percentEncoded = (text: string): string =>
  text.replace(UNPAIRED, '\ufffd').replace(ESCAPED, encodeURIComponent)
