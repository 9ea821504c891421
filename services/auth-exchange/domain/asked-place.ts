import { X509Certificate } from 'node:crypto'
import type { Report } from '#libs/domain-error.js'

const MAX_LENGTH = 512

/** A URL of HTTPS in its one spelling, without credentials: what is asked of it goes to the host that an operator reads. */
export function httpsUrl(text: string, report: Report): string {
  const url = text.length <= MAX_LENGTH && URL.canParse(text) ? new URL(text) : undefined
  const isPlain = url?.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === '' && !text.includes('#')
  // The slash of an empty path may be left out.
  if (!isPlain || (url.href !== text && url.href !== `${text}/`)) report(`must be an https URL of at most ${MAX_LENGTH} characters in its one spelling, without credentials and fragment`)
  return text
}

const MAX_PEM_LENGTH = 32_768
const CERTIFICATES = /^(?:\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----)+\s*$/
const END = '-----END CERTIFICATE-----'

/** The certificates of one CA or several in PEM, or undefined for the public ones. */
export function caCertificate(text: string, report: Report): string | undefined {
  if (text === '') return undefined
  if (text.length > MAX_PEM_LENGTH || !CERTIFICATES.test(text) || !blocksOf(text).every(isCertificate)) report(`must be certificates in PEM, of at most ${MAX_PEM_LENGTH} characters`)
  return text
}

const blocksOf = (text: string): readonly string[] => text.trim().split(END).slice(0, -1).map((block) => `${block}${END}\n`)

function isCertificate(block: string): boolean {
  try {
    return new X509Certificate(block).subject !== ''
  } catch {
    return false
  }
}
