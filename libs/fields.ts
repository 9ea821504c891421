import type { Report } from './domain-error.js'
import { isId } from './ids.js'
import { canonicalPath } from './rules/path.js'
import { canonicalAddress } from './rules/subnet.js'

// Checks of single request fields. Each returns the value as it is to be used and reports what is wrong with it.

export function id(value: string, report: Report): string {
  if (!isId(value)) report('must be an id: a UUIDv7 in lower case')
  return value
}

/** An id, or undefined where the field is empty. */
export function optionalId(value: string, report: Report): string | undefined {
  return value === '' ? undefined : id(value, report)
}

const DISPLAY_NAME = /^[A-Za-z0-9._\-/](?:[A-Za-z0-9._\-/ ]{0,62}[A-Za-z0-9._\-/])?$/

export function displayName(value: string, report: Report): string {
  // Rules compare it so: another spelling would be allowed as one name and stored as another.
  if (value.startsWith('/') && canonicalPath(value).path !== value) report('must be a path in its one spelling, where it begins with /')
  if (!DISPLAY_NAME.test(value)) {
    report('must be 1 to 64 characters: letters, digits, space and . _ - / with no space at either end')
  }
  return value
}

const ROLE_NAME = /^[a-z][a-z0-9-]{0,63}$/

export function roleName(value: string, report: Report): string {
  if (!ROLE_NAME.test(value)) report('must be 1 to 64 characters of a-z, 0-9 and -, the first a letter')
  return value
}

/** Control characters, line breaks and tabs too, and what decoding puts in place of bytes that are no UTF-8. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
export const hasControls = (value: string): boolean => /[\u0000-\u001f\u007f-\u009f\ufffd]/.test(value)

/**
 * Free text on one or more lines; control characters other than line breaks and tabs are refused, and the character that
 * decoding puts in place of bytes that are no UTF-8.
 */
export function text(value: string, limit: number, report: Report): string {
  if (value.length > limit) report(`must be at most ${limit} characters`)
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffd]/.test(value)) report('must be UTF-8 without control characters')
  return value
}

export function integer(value: number, range: { min: number; max: number }, report: Report): number {
  if (!Number.isInteger(value) || value < range.min || value > range.max) {
    report(`must be a whole number from ${range.min} to ${range.max}`)
  }
  return value
}

const LATEST_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/** A moment between the years 1970 and 9999, or undefined where the field is absent. */
export function optionalTime(value: Date | undefined, report: Report): Date | undefined {
  if (value === undefined) return undefined
  const millis = value.getTime()
  if (!(millis >= 0 && millis <= LATEST_TIME)) report('must be a time between the years 1970 and 9999')
  return value
}

/** An etag that was read before, or undefined where the field is empty: no comparison is wanted. */
export function optionalEtag(value: string, report: Report): string | undefined {
  return value === '' ? undefined : id(value, report)
}

/** What the caller must have been sent before; longer text can't be any of it. */
export function credentialText(value: string, report: Report): string {
  if (value.length === 0) report('must be set')
  if (value.length > 4096) report('must be at most 4096 characters')
  return value
}

/** The one spelling of an address, or undefined where the field is empty. */
export function optionalAddress(value: string, report: Report): string | undefined {
  const address = value === '' ? undefined : canonicalAddress(value)
  if (value !== '' && address === undefined) report('must be an IPv4 or IPv6 address')
  return address
}

/** A name to filter by, or empty for no filter. */
export const optionalName = (value: string, report: Report): string => (value === '' ? '' : displayName(value, report))
